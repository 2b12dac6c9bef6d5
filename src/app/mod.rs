//! The composition root: settings in, a running server out.
//!
//! Standing up: migrations under their lock, the master key, the keys that sign, the first beat, the listeners, ready. Lying down:
//! readiness turns red, running requests finish, what is noted in memory is written.

mod housekeeping;
mod installation;
mod listeners;
mod room;
mod running;
mod serving;
mod tls;

use std::sync::Arc;
use std::thread;

use thiserror::Error;

pub use installation::{Installation, open_installation};
pub use running::Running;

use crate::ambient::{Clock, Entropy, PooledEntropy, SystemClock, SystemEntropy};
use crate::authority::{Authority, AuthorityParts, TokenMemory};
use crate::config::Settings;
use crate::console::{ConsoleParts, CookieScope};
use crate::domain::{Environment, KeyPolicy, Timestamp, UsageWriter};
use crate::http::admin::Gate;
use crate::http::{Endpoints, Health, Layers, OAuthLimits, RequestLog, Scrape};
use crate::jose::{Fingerprints, gather_randomness};
use crate::notices::{NoticeParts, Notices, Webhook, WebhookError, WebhookParts};
use crate::office::{self, Office, OfficeParts, OfficePolicy};
use crate::registry::{KeyringError, Promise, Registry, RegistryParts};
use crate::store::{Door, MasterKeyError, OpenError, Records, StoreError};
use crate::telemetry::Metrics;

/// Time and chance, as this process takes them.
#[derive(Clone)]
pub struct Ambient {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// The machine's own.
    #[must_use]
    pub fn of_the_machine() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
        }
    }
}

/// Why the server does not stand, in one sentence for the operator.
#[derive(Debug, Error)]
pub enum AppError {
    /// The store does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The master key is missing, readable by others, or not this installation's.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The signing keys cannot be used.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The signing keys could not be brought up to date.
    #[error("the signing keys could not be brought up to date: {0}")]
    Keys(String),
    /// A listener does not stand.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// Where.
        address: std::net::SocketAddr,
        /// Why.
        cause: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// There is no way to the webhook.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// Something of the machine failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// What is said where nobody could be asked to make an operator. On PostgreSQL the server need not stop.
const NOBODY_ADMINISTERS: &str = "no owner has a token that works: open the link this server prints, or make one with `mintmark \
    operator create --email you@example.com --role owner`, run with the same settings; on SQLite stop this server first";

/// Everything that serves, put together and not yet listening.
struct House {
    registry: Arc<Registry>,
    office: Arc<Office>,
    notices: Arc<Notices>,
    endpoints: Vec<Arc<Endpoints>>,
    health: Arc<Health>,
    scrape: Arc<Scrape>,
    gate: Gate,
    console: Arc<ConsoleParts>,
    layers: Layers,
}

/// Opens everything and starts both listeners.
///
/// # Errors
/// With the first thing that stands in the way.
pub async fn start(settings: &Settings, ambient: Ambient) -> Result<Running, AppError> {
    let installation = open_installation(settings, &ambient)?;
    let house = House::build(settings, &ambient, installation)?;
    house
        .office
        .tend_keys(ambient.clock.now())
        .await
        .map_err(|error| AppError::Keys(error.to_string()))?;
    house.registry.fresh().await?;
    let is_administered = house.has_live_owner(ambient.clock.now()).await?;
    let office = Arc::clone(&house.office);
    let mut running = Running::start(settings, &ambient, house)?;
    if !is_administered {
        log::warn!("{NOBODY_ADMINISTERS}");
        running.offer_set_up(&office);
    }
    // The first caller would pay for it otherwise. Begun earlier, it would take a small machine from what stands up.
    thread::Builder::new()
        .name("randomness".to_owned())
        .spawn(gather_randomness)?;
    Ok(running)
}

impl House {
    async fn has_live_owner(&self, now: Timestamp) -> Result<bool, StoreError> {
        let asked = move |records: &mut dyn Records| office::has_live_owner(records, now);
        self.registry.read(asked).await
    }

    fn build(settings: &Settings, ambient: &Ambient, installation: Installation) -> Result<Self, AppError> {
        let metrics = Arc::new(Metrics::new());
        let waits = Arc::clone(&metrics);
        let database = &settings.database;
        let door = Door::new(
            Arc::clone(&installation.store),
            database.pool_size as usize,
            database.timeout,
            Arc::new(move |waited| waits.observe_store_wait(waited)),
        );
        let writer = UsageWriter::mint(&*ambient.entropy);
        let parts = remembering(settings, (door, writer), (&installation, &metrics));
        let registry = Arc::new(Registry::open(parts)?);
        let office = Office::new(OfficeParts {
            registry: Arc::clone(&registry),
            pepper: Arc::clone(&installation.pepper),
            sealer: installation.sealer,
            clock: Arc::clone(&ambient.clock),
            entropy: Arc::clone(&ambient.entropy),
            policy: policy(settings),
        });
        let names: Arc<dyn Entropy> = Arc::new(PooledEntropy::new(Arc::clone(&ambient.entropy)));
        let endpoints = Environment::ALL
            .into_iter()
            .map(|environment| {
                let parts = AuthorityParts {
                    registry: Arc::clone(&registry),
                    pepper: Arc::clone(&installation.pepper),
                    clock: Arc::clone(&ambient.clock),
                    entropy: Arc::clone(&names),
                    fingerprints: Fingerprints::mint(&*ambient.entropy),
                    memory: TokenMemory {
                        verified: settings.registry.verified,
                        coalesce: settings.tokens.coalesce,
                    },
                };
                Arc::new(endpoints_of(environment, settings, parts, Arc::clone(&metrics)))
            })
            .collect();
        let health = Arc::new(Health::new(Arc::clone(&registry)));
        let office = Arc::new(office);
        let gate = Gate {
            body: settings.limits.admin_body,
            body_timeout: settings.limits.body_timeout,
            metrics: Arc::clone(&metrics),
        };
        Ok(Self {
            notices: Arc::new(notices(settings, ambient, (&registry, &metrics))?),
            health: Arc::clone(&health),
            console: Arc::new(console(settings, ambient, (&office, &gate))),
            gate,
            scrape: Arc::new(Scrape::new(Arc::clone(&registry), metrics, Arc::clone(&ambient.clock))),
            layers: layers(settings, names, health),
            registry,
            office,
            endpoints,
        })
    }
}

fn console(settings: &Settings, ambient: &Ambient, (office, gate): (&Arc<Office>, &Gate)) -> ConsoleParts {
    ConsoleParts {
        office: Arc::clone(office),
        gate: gate.clone(),
        public_url: settings.public_url.as_str().to_owned(),
        cookie: cookie_scope(settings),
        clock: Arc::clone(&ambient.clock),
        entropy: Arc::clone(&ambient.entropy),
    }
}

/// Without TLS of ours or of a proxy the admin listener stands on a loopback address, or not at all.
const fn cookie_scope(settings: &Settings) -> CookieScope {
    if settings.tls.is_some() || !settings.trusted_proxies.is_empty() {
        CookieScope::Tls
    } else {
        CookieScope::Loopback
    }
}

fn layers(settings: &Settings, names: Arc<dyn Entropy>, health: Arc<Health>) -> Layers {
    let proxies = settings.trusted_proxies.clone();
    Layers {
        entropy: names,
        trust: Arc::new(move |address| proxies.trust(address)),
        log: if settings.log.requests {
            RequestLog::All
        } else {
            RequestLog::Refusals
        },
        health,
    }
}

fn remembering(
    settings: &Settings,
    (door, writer): (Door, UsageWriter),
    (installation, metrics): (&Installation, &Arc<Metrics>),
) -> RegistryParts {
    RegistryParts {
        door,
        sealer: Arc::clone(&installation.sealer),
        metrics: Arc::clone(metrics),
        capacity: settings.registry.cache,
        revoked: settings.registry.revoked,
        promise: promise(settings),
        budgets: settings.limits.budgets,
        writer,
    }
}

fn endpoints_of(
    environment: Environment,
    settings: &Settings,
    parts: AuthorityParts,
    metrics: Arc<Metrics>,
) -> Endpoints {
    let entropy = Arc::clone(&parts.entropy);
    let authority = Authority::new(
        parts,
        environment,
        settings.public_url.as_str(),
        settings.tokens.lifetime,
    );
    let endpoints = Endpoints::new(authority, metrics, entropy, limits(settings));
    if settings.metadata.response_types_supported {
        endpoints.with_response_types()
    } else {
        endpoints
    }
}

fn notices(
    settings: &Settings,
    ambient: &Ambient,
    (registry, metrics): (&Arc<Registry>, &Arc<Metrics>),
) -> Result<Notices, WebhookError> {
    Ok(Notices::new(NoticeParts {
        registry: Arc::clone(registry),
        clock: Arc::clone(&ambient.clock),
        entropy: Arc::clone(&ambient.entropy),
        metrics: Arc::clone(metrics),
        retention: settings.notices.retention,
        webhook: webhook(settings)?,
    }))
}

fn webhook(settings: &Settings) -> Result<Option<Webhook>, WebhookError> {
    let parts = settings.webhook.as_ref().map(|webhook| WebhookParts {
        url: webhook.url.clone(),
        secrets: webhook.secrets.clone(),
        timeout: webhook.timeout,
        ca_file: webhook.ca_file.clone(),
    });
    parts.map(Webhook::start).transpose()
}

const fn promise(settings: &Settings) -> Promise {
    Promise {
        freshness: settings.registry.freshness,
        patience: settings.registry.timeout,
        outage: settings.registry.outage,
    }
}

const fn limits(settings: &Settings) -> OAuthLimits {
    OAuthLimits {
        body: settings.limits.body,
        body_timeout: settings.limits.body_timeout,
        max_age: settings.jwks.max_age,
    }
}

fn policy(settings: &Settings) -> OfficePolicy {
    let keys = |environment| KeyPolicy {
        algorithm: settings.environments.of(environment).algorithm,
        rotate_every: settings.keys.rotate_every,
        jwks_max_age: settings.jwks.max_age,
    };
    OfficePolicy {
        operator_token_lifetime: settings.operators.token_lifetime,
        sessions: settings.console.sessions,
        silence: settings.secrets.safe_to_retire_after,
        usage_kept: settings.usage.keep,
        qa_keys: keys(Environment::Qa),
        production_keys: keys(Environment::Production),
    }
}
