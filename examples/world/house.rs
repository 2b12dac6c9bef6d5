//! A small installation in this process: one partner with one client, one API with its resource server, one key that signs.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use mintmark::ambient::{Clock as _, SystemClock, SystemEntropy};
use mintmark::authority::{
    Authority, AuthorityParts, Caller, Denial, Introspection, PresentedCredentials, PresentedMethod, TokenMemory,
    TokenRequest,
};
use mintmark::domain::{
    AccessLevel, Algorithm, AllowedApis, ClientRole, Environment, Epoch, KeyState, Mutation, Pepper, RequestId,
    Seconds, SigningKeyRecord, Timestamp, TokenLifetime, UsageWriter,
};
use mintmark::jose::{Fingerprints, KeyPair};
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{Door, MasterKey, Records, SealedColumn, Sealer, Store};
use mintmark::telemetry::Metrics;
use zeroize::Zeroizing;

use super::records::{API, Credentials, Outcome, api, attribution, client, partner};

pub const PARTNER: &str = "acme";
const CLIENT: &str = "qa-acme-0000000001";
const RESOURCE_SERVER: &str = "qa-orders-0000000002";
const PATIENCE: Duration = Duration::from_secs(60);
/// The default of `registry.revoked`: a million fits, and not one more.
const REVOKED: usize = 1_000_000;

pub struct House {
    pepper: Arc<Pepper>,
    sealer: Arc<Sealer>,
    /// What a store must hold for it, in this order.
    changes: Vec<Mutation>,
    /// The partner's client.
    pub client: Credentials,
    pub resource_server: Credentials,
}

impl House {
    /// Its tokens are signed with `algorithm`. Nothing is in any store yet.
    pub fn plan(algorithm: Algorithm) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let master = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new())?;
        let (pepper, sealer) = (Arc::new(master.pepper()), Arc::new(master.sealer()));
        let now = SystemClock.now();
        let chance = (&*pepper, &SystemEntropy::new() as _);
        let of_the_partner = ClientRole::Partner {
            partner_id: PARTNER.parse()?,
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        };
        let of_the_api = ClientRole::ResourceServer { api_id: API.parse()? };
        let (asking, secret, credentials) = client((CLIENT, of_the_partner), chance, now)?;
        let (checking, other_secret, resource_server) = client((RESOURCE_SERVER, of_the_api), chance, now)?;
        let key = signing_key(algorithm, &sealer, now)?;
        let changes = vec![
            Mutation::ApiRegistered(api(now)?),
            Mutation::PartnerRegistered(partner(PARTNER, now)?),
            Mutation::ClientRegistered(asking, secret),
            Mutation::ClientRegistered(checking, other_secret),
            Mutation::KeyAnnounced(key.clone()),
            Mutation::KeyActivated(SigningKeyRecord {
                state: KeyState::Active,
                active_since: Some(now),
                ..key
            }),
        ];
        Ok(Self {
            pepper,
            sealer,
            changes,
            client: credentials,
            resource_server,
        })
    }

    /// Puts it into `store`, which is empty.
    pub fn commit(&self, store: &dyn Store) -> Outcome<()> {
        for change in &self.changes {
            let mut decide = |_: &mut dyn Records| Ok(Some(change.clone().into()));
            store.commit(&attribution(), &mut decide)?;
        }
        Ok(())
    }

    /// A replica over `store`, which holds this house. To be called where a runtime is.
    pub fn replica(&self, store: Arc<dyn Store>) -> Outcome<(Arc<Registry>, Authority)> {
        let registry = Arc::new(Registry::open(RegistryParts {
            door: Door::new(store, 4, PATIENCE, Arc::new(|_| ())),
            sealer: Arc::clone(&self.sealer),
            metrics: Arc::new(Metrics::new()),
            capacity: 1000,
            revoked: REVOKED,
            promise: Promise {
                freshness: Freshness::AtOnce,
                patience: PATIENCE,
                outage: None,
            },
            budgets: Budgets {
                failures_per_minute: NonZeroU32::MAX,
                unknown_ids_per_minute: NonZeroU32::MAX,
                revocations_per_minute: NonZeroU32::MAX,
            },
            writer: UsageWriter::mint(&SystemEntropy::new()),
        })?);
        let parts = AuthorityParts {
            registry: Arc::clone(&registry),
            pepper: Arc::clone(&self.pepper),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            fingerprints: Fingerprints::mint(&SystemEntropy::new()),
            memory: TokenMemory {
                verified: 10_000,
                coalesce: None,
            },
        };
        let lifetime = TokenLifetime::try_from(3600)?;
        let authority = Authority::new(parts, Environment::Qa, "http://127.0.0.1:8080", lifetime);
        Ok((registry, authority))
    }

    /// What the client gets for a request with this grant type.
    pub async fn ask(&self, authority: &Authority, grant_type: &str) -> Result<String, Denial> {
        let request = TokenRequest {
            grant_type: Some(grant_type),
            ..TokenRequest::default()
        };
        let issued = authority.token(presented(&self.client), request, &caller()).await?;
        Ok(issued.response.access_token)
    }

    pub async fn issue(&self, authority: &Authority) -> Outcome<String> {
        Ok(self.ask(authority, "client_credentials").await?)
    }

    /// The resource server asks about `token`, which must be active.
    pub async fn introspect(&self, authority: &Authority, token: &str) -> Outcome<()> {
        let caller = caller();
        let asked = authority.introspect(presented(&self.resource_server), Some(token), &caller);
        match asked.await? {
            Introspection::Active(_) => Ok(()),
            Introspection::Inactive => Err("a good token was not confirmed".into()),
        }
    }
}

fn signing_key(algorithm: Algorithm, sealer: &Sealer, now: Timestamp) -> Outcome<SigningKeyRecord> {
    let private = KeyPair::generate(algorithm)?;
    let pair = KeyPair::from_pkcs8(algorithm, private.as_der())?;
    let kid = pair.jwk().key_id().clone();
    Ok(SigningKeyRecord {
        sealed_private_key: sealer.seal(SealedColumn::private_key(&kid), private.as_der(), &SystemEntropy::new()),
        kid,
        environment: Environment::Qa,
        algorithm,
        state: KeyState::Announced,
        public_jwk: serde_json::to_string(pair.jwk())?,
        announced_at: now,
        jwks_max_age: Seconds(300),
        active_since: None,
        retiring_since: None,
        retired_at: None,
        version: Epoch::ZERO,
    })
}

fn presented(credentials: &Credentials) -> PresentedCredentials {
    let secret = Zeroizing::new(credentials.secret.clone());
    PresentedCredentials::new(
        credentials.client_id.clone(),
        secret,
        PresentedMethod::ClientSecretBasic,
    )
}

fn caller() -> Caller {
    Caller {
        source: std::net::Ipv4Addr::LOCALHOST.into(),
        request_id: "measured-0001".parse::<RequestId>().expect("it is sane"),
    }
}
