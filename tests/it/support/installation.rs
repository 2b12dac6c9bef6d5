//! A whole installation of the OAuth side: a server on a port of its own, over a store of the test's choice, with two partners,
//! a sub-account, three APIs and a signing key in each environment. Time stands still until the test moves it.
//!
//! | partner | ceiling |
//! | --- | --- |
//! | `acme` | `orders:read orders:write stock:read` |
//! | `acme-north`, under `acme` | the same and `billing:read`, which the parent lacks |
//! | `globex` | `orders:read` |

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::rt::{Runtime, System};
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use mintmark::ambient::{Clock, SystemEntropy};
use mintmark::authority::{Authority, AuthorityParts, TokenMemory};
use mintmark::domain::{
    Actor, Algorithm, Api, Attribution, Environment, Epoch, Milliseconds, Mutation, Partner, PartnerStatus, Pepper,
    Scope, Seconds, Timestamp, TokenLifetime, UsageWriter,
};
use mintmark::http::{Endpoints, Health, Layers, OAuthLimits, RequestLog, configure_public, outermost};
use mintmark::jose::Fingerprints;
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{
    CommitError, DatabaseUrl, Door, MasterKey, MemoryStore, Migrate, Records, Sealer, Store, StoreError, StoreSettings,
    open,
};
use mintmark::telemetry::Metrics;

use super::postgresql::TestDatabase;

/// When every test begins: in the year 2096, so that even a library that asks the machine's clock finds the tokens alive.
pub const START: Timestamp = Timestamp::from_seconds(4_000_000_000);
/// What the issuers begin with.
pub const PUBLIC_URL: &str = "https://auth.example.com";
/// The audience of the API that owns `orders:read` and `orders:write`, in both environments.
pub const ORDERS: &str = "https://api.example.com/orders";
/// The audience of the API that owns `stock:read`.
pub const STOCK: &str = "https://api.example.com/stock";
/// The audience of the API that owns `billing:read`, which no client of the standing partners may have.
pub const BILLING: &str = "https://api.example.com/billing";
/// The `max-age` of the JWK set.
pub const MAX_AGE: Seconds = Seconds(600);

/// What is remembered of tokens, unless a plan says otherwise.
const MEMORY: TokenMemory = TokenMemory {
    verified: 1000,
    coalesce: None,
};

/// A clock that goes when it is told to.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.seconds() * 1000, Ordering::SeqCst);
    }

    pub fn advance(&self, seconds: u32) {
        self.0.fetch_add(i64::from(seconds) * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_milliseconds(&self) -> Milliseconds {
        Milliseconds(self.0.load(Ordering::SeqCst))
    }
}

thread_local! {
    /// The store on which this thread's next installation begins, where that is not the one in memory.
    static GROUND: RefCell<Option<Arc<dyn Store>>> = const { RefCell::new(None) };
}

/// Plays a test on a store of SQLite or PostgreSQL: the first installation it begins stands on it, on the thread it is called on.
pub fn on_ground(store: Arc<dyn Store>, test: fn()) {
    GROUND.set(Some(store));
    test();
}

/// Plays the tests named on SQLite and on PostgreSQL too.
macro_rules! also_on_sql {
    ($($test:ident),* $(,)?) => {
        mod sqlite { $(
            #[test]
            fn $test() {
                let folder = tempfile::tempdir().unwrap();
                crate::support::installation::on_ground(crate::support::installation::sqlite(&folder), super::$test);
            }
        )* }

        mod postgresql { $(
            #[test]
            fn $test() {
                let database = crate::support::postgresql::fresh_url();
                crate::support::installation::on_ground(crate::support::installation::postgresql(&database), super::$test);
            }
        )* }
    };
}
pub(crate) use also_on_sql;

/// What an installation is made with.
pub struct Plan {
    pub store: Arc<dyn Store>,
    pub algorithm: Algorithm,
    pub limits: OAuthLimits,
    /// How long anything may wait for the store.
    pub patience: Duration,
    pub failures_per_minute: u32,
    pub unknown_ids_per_minute: u32,
    pub revocations_per_minute: u32,
    /// Whether the metadata says `response_types_supported`.
    pub response_types: bool,
    /// How many revoked tokens are remembered.
    pub revoked: usize,
    /// Until which age a token is handed again.
    pub coalesce: Option<Seconds>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            store: GROUND.take().unwrap_or_else(|| Arc::new(MemoryStore::default())),
            algorithm: Algorithm::Es256,
            limits: OAuthLimits {
                body: 64 * 1024,
                body_timeout: Duration::from_secs(10),
                max_age: MAX_AGE,
            },
            patience: Duration::from_secs(10),
            failures_per_minute: 1_000_000,
            unknown_ids_per_minute: 1_000_000,
            revocations_per_minute: 1_000_000,
            response_types: false,
            revoked: 20_000,
            coalesce: None,
        }
    }
}

/// A running installation. It stops when it is dropped.
pub struct Installation {
    pub clock: Arc<ManualClock>,
    pub registry: Arc<Registry>,
    pub pepper: Arc<Pepper>,
    pub address: SocketAddr,
    pub sealer: Arc<Sealer>,
    server: ServerHandle,
}

impl Installation {
    /// On the store in memory, with everything as it is by default.
    pub fn start() -> Self {
        Plan::default().start()
    }

    /// The same, signing with `algorithm`.
    pub fn signing_with(algorithm: Algorithm) -> Self {
        Plan {
            algorithm,
            ..Plan::default()
        }
        .start()
    }

    /// Another replica of this installation, over the store that both share.
    pub fn replica(&self, store: Arc<dyn Store>) -> Self {
        let plan = Plan {
            store,
            ..Plan::default()
        };
        plan.run(
            Arc::clone(&self.clock),
            (Arc::clone(&self.pepper), Arc::clone(&self.sealer)),
        )
    }

    /// Commits a mutation as the server itself would.
    pub fn commit(&self, mutation: Mutation) {
        self.try_commit(mutation).expect("the store commits");
    }

    pub fn try_commit(&self, mutation: Mutation) -> Result<(), CommitError> {
        let attribution = attribution(self);
        let decide = move |_: &mut dyn Records| Ok((Some(mutation.clone().into()), ()));
        block_on(self.registry.commit(attribution, decide))
    }

    /// Reads from the store.
    pub fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        block_on(self.registry.read(read)).expect("the store answers")
    }

    pub fn partner(&self, partner_id: &str) -> Partner {
        let partner_id = partner_id.parse().unwrap();
        self.read(move |records| records.partner(&partner_id))
            .expect("the partner is registered")
    }

    pub fn api(&self, environment: Environment, api_id: &str) -> Api {
        let api_id = api_id.parse().unwrap();
        self.read(move |records| records.api(environment, &api_id))
            .expect("the API is registered")
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Another authority over the same registry, for what HTTP would only blur.
    pub fn authority(&self, environment: Environment) -> Authority {
        authority((environment, MEMORY), (&self.registry, &self.pepper, &self.clock))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        // The order is given at once; whether it has been carried out is nobody's concern.
        drop(self.server.stop(false));
    }
}

/// Somebody at the machine, now.
pub fn attribution(installation: &Installation) -> Attribution {
    Attribution {
        actor: Actor::CommandLine,
        at: installation.clock.now_milliseconds(),
        request_id: None,
    }
}

/// Runs `future` to its end on this thread.
pub fn block_on<F: Future>(future: F) -> F::Output {
    Runtime::new().expect("a runtime can be made").block_on(future)
}

impl Plan {
    /// Starts the installation and populates it.
    pub fn start(self) -> Installation {
        let folder = tempfile::tempdir().unwrap();
        let master = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new()).unwrap();
        let algorithm = self.algorithm;
        let clock = Arc::new(ManualClock(AtomicI64::new(START.seconds() * 1000)));
        let installation = self.run(clock, (Arc::new(master.pepper()), Arc::new(master.sealer())));
        populate(&installation, algorithm);
        installation
    }

    fn run(self, clock: Arc<ManualClock>, (pepper, sealer): (Arc<Pepper>, Arc<Sealer>)) -> Installation {
        let metrics = Arc::new(Metrics::new());
        let waits = Arc::clone(&metrics);
        let observer = Arc::new(move |waited| waits.observe_store_wait(waited));
        let parts = RegistryParts {
            door: Door::new(self.store, 4, self.patience, observer),
            sealer: Arc::clone(&sealer),
            metrics: Arc::clone(&metrics),
            capacity: 1000,
            revoked: self.revoked,
            promise: Promise {
                freshness: Freshness::AtOnce,
                patience: self.patience,
                outage: None,
            },
            writer: UsageWriter::mint(&SystemEntropy::new()),
            budgets: Budgets {
                failures_per_minute: NonZeroU32::new(self.failures_per_minute).unwrap(),
                unknown_ids_per_minute: NonZeroU32::new(self.unknown_ids_per_minute).unwrap(),
                revocations_per_minute: NonZeroU32::new(self.revocations_per_minute).unwrap(),
            },
        };
        let registry = Arc::new(Registry::open(parts).unwrap());
        let endpoints = Environment::ALL.map(|environment| {
            let memory = TokenMemory {
                coalesce: self.coalesce,
                ..MEMORY
            };
            let authority = authority((environment, memory), (&registry, &pepper, &clock));
            let entropy = Arc::new(SystemEntropy::new());
            let endpoints = Endpoints::new(authority, Arc::clone(&metrics), entropy, self.limits);
            Arc::new(if self.response_types {
                endpoints.with_response_types()
            } else {
                endpoints
            })
        });
        let (address, server) = serve(endpoints, Arc::new(Health::new(Arc::clone(&registry))));
        Installation {
            clock,
            registry,
            pepper,
            address,
            sealer,
            server,
        }
    }
}

/// A store in a new SQLite file in `folder`, for [`Plan::store`].
pub fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    opened(DatabaseUrl::sqlite(&folder.path().join("mintmark.db")))
}

/// The store in a PostgreSQL schema, for [`Plan::store`] and, opened again, for [`Installation::replica`].
pub fn postgresql(database: &TestDatabase) -> Arc<dyn Store> {
    opened(database.url.parse().expect("it is the URL of a database"))
}

/// Two replicas over the store in a PostgreSQL schema.
pub fn two_replicas(database: &TestDatabase) -> (Installation, Installation) {
    let here = Plan {
        store: postgresql(database),
        ..Plan::default()
    }
    .start();
    let there = here.replica(postgresql(database));
    (here, there)
}

fn opened(url: DatabaseUrl) -> Arc<dyn Store> {
    let settings = StoreSettings {
        url,
        pool_size: 4,
        timeout: Duration::from_secs(10),
        migrate: Migrate::Auto,
    };
    open(&settings).expect("the store opens")
}

fn authority(
    (environment, memory): (Environment, TokenMemory),
    (registry, pepper, clock): (&Arc<Registry>, &Arc<Pepper>, &Arc<ManualClock>),
) -> Authority {
    let parts = AuthorityParts {
        registry: Arc::clone(registry),
        pepper: Arc::clone(pepper),
        clock: Arc::<ManualClock>::clone(clock),
        entropy: Arc::new(SystemEntropy::new()),
        fingerprints: Fingerprints::mint(&SystemEntropy::new()),
        memory,
    };
    let lifetime = TokenLifetime::try_from(300).unwrap();
    Authority::new(parts, environment, PUBLIC_URL, lifetime)
}

fn serve(endpoints: [Arc<Endpoints>; 2], health: Arc<Health>) -> (SocketAddr, ServerHandle) {
    let (sender, started) = mpsc::channel();
    let layers = Layers {
        entropy: Arc::new(SystemEntropy::new()),
        // As if behind a proxy on this machine, so that a test can come from anywhere.
        trust: Arc::new(|address: IpAddr| address.is_loopback()),
        log: RequestLog::Refusals,
        health: Arc::clone(&health),
    };
    thread::spawn(move || {
        System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(Data::new(layers.clone()))
                    .wrap(from_fn(outermost))
                    .configure(|config| configure_public(config, &endpoints, &health))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            let server = server.client_disconnect_timeout(Duration::from_secs(1));
            let server = server.bind(("127.0.0.1", 0)).expect("a port is free");
            let address = server.addrs()[0];
            let server = server.run();
            sender.send((address, server.handle())).expect("the test waits");
            server.await.expect("the server ends well");
        });
    });
    started.recv().expect("the server starts")
}

fn populate(installation: &Installation, algorithm: Algorithm) {
    let partner = |partner_id: &str, parent: Option<&str>, ceiling: &str| {
        installation.commit(Mutation::PartnerRegistered(Partner {
            partner_id: partner_id.parse().unwrap(),
            name: partner_id.parse().unwrap(),
            scope_ceiling: ceiling.parse().unwrap(),
            status: PartnerStatus::Active,
            parent: parent.map(|parent| parent.parse().unwrap()),
            plan: None,
            created_at: START,
            version: Epoch::ZERO,
        }));
    };
    partner("acme", None, "orders:read orders:write stock:read");
    partner(
        "acme-north",
        Some("acme"),
        "billing:read orders:read orders:write stock:read",
    );
    partner("globex", None, "orders:read");
    for environment in Environment::ALL {
        for (api_id, audience, scopes) in [
            ("orders", ORDERS, "orders:read orders:write"),
            ("stock", STOCK, "stock:read"),
            ("billing", BILLING, "billing:read"),
        ] {
            installation.commit(Mutation::ApiRegistered(Api {
                api_id: api_id.parse().unwrap(),
                environment,
                name: api_id.parse().unwrap(),
                audience: audience.parse().unwrap(),
                scopes: scopes.parse::<Scope>().unwrap(),
                created_at: START,
                version: Epoch::ZERO,
            }));
        }
        installation.rotate_key(environment, algorithm);
    }
}
