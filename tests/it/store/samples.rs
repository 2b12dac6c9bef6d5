//! Nouns to store, and short words for storing and reading them.

use mintmark::ambient::{Entropy as _, SystemEntropy};
use mintmark::domain::{
    AccessLevel, Actor, Algorithm, Allowance, AllowedApis, AllowedSources, Api, Attribution, AuthMethod, Change,
    Client, ClientRole, ClientSecret, ClientStatus, Environment, Epoch, JournalEntry, KeyId, KeyState, Milliseconds,
    Mutation, Operator, OperatorId, OperatorStatus, Pace, Partner, PartnerStatus, Pepper, Plan, QuotaMode, Rate,
    RevokedToken, Role, Scope, Seconds, SecretId, SecretStatus, SigningKeyRecord, Timestamp, TokenCount, TokenId,
};
use mintmark::store::{CommitError, Records, Store, StoreError};

pub const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

pub fn attribution() -> Attribution {
    Attribution {
        actor: Actor::CommandLine,
        at: Milliseconds(1_800_000_000_123),
        request_id: Some("request-0001".parse().unwrap()),
    }
}

pub fn commit(store: &dyn Store, change: impl Into<Change>) -> Result<JournalEntry, CommitError> {
    let change = change.into();
    let entry = store.commit(&attribution(), &mut |_| Ok(Some(change.clone())))?;
    Ok(entry.expect("a change was decided"))
}

pub fn read<T>(store: &dyn Store, read: impl Fn(&mut dyn Records) -> Result<T, StoreError>) -> T {
    try_read(store, read).unwrap()
}

pub fn try_read<T>(
    store: &dyn Store,
    read: impl Fn(&mut dyn Records) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut found = None;
    store.read(&mut |records| {
        found = Some(read(records)?);
        Ok(())
    })?;
    Ok(found.expect("the reader was called"))
}

pub fn scope(text: &str) -> Scope {
    if text.is_empty() {
        Scope::default()
    } else {
        text.parse().unwrap()
    }
}

pub fn partner(partner_id: &str) -> Partner {
    Partner {
        partner_id: partner_id.parse().unwrap(),
        name: "Acme GmbH & Söhne".parse().unwrap(),
        scope_ceiling: scope("orders:read orders:write"),
        status: PartnerStatus::Active,
        parent: None,
        plan: None,
        created_at: NOW,
        version: Epoch::ZERO,
    }
}

/// An allowance, every bound of it there and told from the others.
pub fn allowance(number: u64) -> Allowance {
    let pace = |number: u64| Pace::try_from(number).unwrap();
    Allowance {
        rate: Some(Rate {
            tokens_per_second: pace(number),
            burst: pace(number + 1),
        }),
        tokens_per_day: Some((number + 2).try_into().unwrap()),
        tokens_per_month: Some(TokenCount::MOST.try_into().unwrap()),
    }
}

/// A plan.
pub fn plan(quota_mode: QuotaMode) -> Box<Plan> {
    Box::new(Plan {
        quota_mode,
        partner: allowance(50),
        client: Allowance::UNBOUNDED,
    })
}

pub fn api(environment: Environment, api_id: &str) -> Api {
    Api {
        api_id: api_id.parse().unwrap(),
        environment,
        name: "Orders".parse().unwrap(),
        audience: format!("https://{api_id}.example.com").parse().unwrap(),
        scopes: scope("orders:read orders:write"),
        created_at: NOW,
        version: Epoch::ZERO,
    }
}

pub fn client(partner_id: &str, client_id: &str) -> Client {
    Client {
        client_id: client_id.parse().unwrap(),
        environment: Environment::Qa,
        role: ClientRole::Partner {
            partner_id: partner_id.parse().unwrap(),
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        },
        name: "Checkout".parse().unwrap(),
        contact: "ada@example.com".parse().unwrap(),
        token_endpoint_auth_method: AuthMethod::ClientSecretBasic,
        token_lifetime: None,
        limits: None,
        allowed_sources: AllowedSources::Any,
        expires_at: None,
        status: ClientStatus::Active,
        created_at: NOW,
        version: Epoch::ZERO,
    }
}

pub fn resource_server(api: &Api, client_id: &str) -> Client {
    Client {
        environment: api.environment,
        role: ClientRole::ResourceServer {
            api_id: api.api_id.clone(),
        },
        ..client("unused", client_id)
    }
}

pub fn secret(client: &Client) -> ClientSecret {
    let secret_id = SecretId::mint(&SystemEntropy::new());
    ClientSecret {
        client_id: client.client_id.clone(),
        digest: Pepper::new(&[1; 32]).digest(secret_id.as_str()),
        secret_id,
        note: None,
        hint: "x7Zq".to_owned(),
        created_by: Actor::CommandLine.to_string(),
        created_at: NOW,
        not_before: NOW,
        expires_at: None,
        status: SecretStatus::Active,
        last_used_at: None,
        last_used_source: None,
        version: Epoch::ZERO,
    }
}

pub fn operator(email: &str) -> Operator {
    let operator_id = OperatorId::mint(&SystemEntropy::new());
    Operator {
        email: email.parse().unwrap(),
        role: Role::Owner,
        token_digest: Pepper::new(&[2; 32]).digest(operator_id.as_str()),
        operator_id,
        token_hint: "9aBc".to_owned(),
        token_expires_at: Timestamp::from_seconds(1_900_000_000),
        status: OperatorStatus::Active,
        created_at: NOW,
        version: Epoch::ZERO,
    }
}

/// A key whose private part is no key: the store does not look into it.
pub fn key(environment: Environment, state: KeyState) -> SigningKeyRecord {
    let mut random = [0; 32];
    SystemEntropy::new().fill(&mut random);
    let kid = KeyId::from_thumbprint(random);
    SigningKeyRecord {
        public_jwk: format!(r#"{{"kid":"{kid}"}}"#),
        kid,
        environment,
        algorithm: Algorithm::EdDsa,
        state,
        sealed_private_key: vec![0, 255, 1, 0],
        announced_at: NOW,
        jwks_max_age: Seconds(600),
        active_since: (state == KeyState::Active).then_some(NOW),
        retiring_since: None,
        retired_at: None,
        version: Epoch::ZERO,
    }
}

pub fn revoked_token(client: &Client, secret: &ClientSecret) -> RevokedToken {
    RevokedToken {
        jti: TokenId::mint(&secret.secret_id, &SystemEntropy::new()),
        client_id: client.client_id.clone(),
        partner_id: client.partner_id().expect("only a partner's client has tokens").clone(),
        environment: client.environment,
        expires_at: NOW,
    }
}

/// A partner, `acme`, with one client and its first secret.
pub fn acme(store: &dyn Store) -> (Partner, Client, ClientSecret) {
    let partner = partner("acme");
    let client = client("acme", "qa-acme-0000000000");
    let secret = secret(&client);
    commit(store, Mutation::PartnerRegistered(partner.clone())).unwrap();
    commit(store, Mutation::ClientRegistered(client.clone(), secret.clone())).unwrap();
    (partner, client, secret)
}

/// All there is to see of a secret, the digest too, which neither prints nor compares.
pub fn secret_in_full(secret: &ClientSecret) -> String {
    format!("{secret:?} {:?}", secret.digest.as_bytes())
}

/// All there is to see of an operator.
pub fn operator_in_full(operator: &Operator) -> String {
    format!("{operator:?} {:?}", operator.token_digest.as_bytes())
}
