//! What the measurements register: an API, partners, and clients with what they authenticate with.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mintmark::ambient::{Clock as _, Entropy, SystemClock};
use mintmark::domain::{
    Actor, AllowedSources, Api, Attribution, AuthMethod, Client, ClientRole, ClientSecret, ClientStatus, Environment,
    Epoch, Partner, PartnerStatus, Pepper, Secret, SecretId, SecretKind, SecretStatus, Timestamp,
};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const API: &str = "orders";
const SCOPES: &str = "orders:read orders:write";

/// What a client authenticates with.
pub struct Credentials {
    pub client_id: String,
    pub secret: String,
}

impl Credentials {
    /// The value of the `Authorization` header, RFC 6749 §2.3.1. Nothing in them needs an escape.
    pub fn header(&self) -> String {
        format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.client_id, self.secret))
        )
    }
}

/// Whom the journal names.
pub fn attribution() -> Attribution {
    Attribution {
        actor: Actor::CommandLine,
        at: SystemClock.now_milliseconds(),
        request_id: None,
    }
}

pub fn api(now: Timestamp) -> Outcome<Api> {
    Ok(Api {
        api_id: API.parse()?,
        environment: Environment::Qa,
        name: "Orders".parse()?,
        audience: format!("https://api.example.com/{API}").parse()?,
        scopes: SCOPES.parse()?,
        created_at: now,
        version: Epoch::ZERO,
    })
}

/// A partner that may have all scopes of the API.
pub fn partner(partner_id: &str, now: Timestamp) -> Outcome<Partner> {
    Ok(Partner {
        partner_id: partner_id.parse()?,
        name: format!("Partner {partner_id}").parse()?,
        scope_ceiling: SCOPES.parse()?,
        status: PartnerStatus::Active,
        parent: None,
        plan: None,
        created_at: now,
        version: Epoch::ZERO,
    })
}

/// A client and its secret, with what it authenticates with.
pub fn client(
    (client_id, role): (&str, ClientRole),
    (pepper, entropy): (&Pepper, &dyn Entropy),
    now: Timestamp,
) -> Outcome<(Client, ClientSecret, Credentials)> {
    let client = Client {
        client_id: client_id.parse()?,
        environment: Environment::Qa,
        role,
        name: "Warehouse".parse()?,
        contact: "warehouse@example.com".parse()?,
        token_endpoint_auth_method: AuthMethod::Any,
        token_lifetime: None,
        limits: None,
        allowed_sources: AllowedSources::Any,
        expires_at: None,
        status: ClientStatus::Active,
        created_at: now,
        version: Epoch::ZERO,
    };
    let secret = Secret::mint(SecretKind::Client(Environment::Qa), entropy);
    let record = ClientSecret {
        secret_id: SecretId::mint(entropy),
        client_id: client.client_id.clone(),
        digest: pepper.digest(secret.expose()),
        note: None,
        hint: secret.hint(),
        created_by: Actor::CommandLine.to_string(),
        created_at: now,
        not_before: now,
        status: SecretStatus::Active,
        expires_at: None,
        last_used_at: None,
        last_used_source: None,
        version: Epoch::ZERO,
    };
    let credentials = Credentials {
        client_id: client_id.to_owned(),
        secret: secret.expose().to_owned(),
    };
    Ok((client, record, credentials))
}
