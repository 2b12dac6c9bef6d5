//! The admin API over real HTTP, in this process, on the store in memory, with a clock that stands still.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::dev::{ServerHandle, Service as _};
use actix_web::{App, HttpMessage as _, HttpServer, web};
use mintmark::ambient::{Clock, SystemEntropy};
use mintmark::console::{self, ConsoleParts, CookieScope};
use mintmark::domain::{
    Algorithm, Attribution, EmailAddress, Environment, Epoch, JournalEntry, KeyPolicy, Meter, Milliseconds, Pepper,
    RequestId, Role, Seconds, SessionPolicy, Timestamp, UsageBatch, UsageWriter,
};
use mintmark::http::admin;
use mintmark::http::peer::PeerAddress;
use mintmark::office::{Created, Errand, Machine, NewOperator, Office, OfficeParts, OfficePolicy, create_first_owner};
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{
    CommitError, Decide, Door, Draw, Drawn, Follower, MasterKey, MemoryStore, NoticeBoard, Read, Return, Sealer,
    SessionBook, Sharing, Store, StoreError,
};
use mintmark::telemetry::Metrics;
use serde_json::Value;

use super::asking::{Answer, Ask, REQUEST_ID};

/// The `max-age` of the JWKS, in seconds.
pub const MAX_AGE: u32 = 600;
/// How long a key is announced before it may sign, in seconds: one `max-age` and a minute.
pub const ANNOUNCED: u32 = MAX_AGE + 60;
/// How long an operator's token works.
const TOKEN_LIFETIME: Seconds = Seconds::from_days(90);
/// The id of an operator that is nobody's.
pub const NOBODY: &str = "000000000000";

/// A clock that moves when it is told to.
struct HeldClock(AtomicI64);

impl Clock for HeldClock {
    fn now_milliseconds(&self) -> Milliseconds {
        Milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// A store that can be told not to answer.
struct MoodyStore {
    store: Arc<dyn Store>,
    silent: Arc<AtomicBool>,
}

impl MoodyStore {
    fn asked(&self) -> Result<&dyn Store, StoreError> {
        if self.silent.load(Ordering::SeqCst) {
            Err(StoreError::Unavailable("it was told to be silent".to_owned()))
        } else {
            Ok(&*self.store)
        }
    }
}

impl Store for MoodyStore {
    fn sharing(&self) -> Sharing {
        self.store.sharing()
    }

    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        self.asked()?.read(read)
    }

    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        self.asked()?.commit(attribution, decide)
    }

    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        self.asked()?.follower()
    }

    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.asked()?.record_usage(batch)
    }

    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.asked()?.forget_usage(before)
    }

    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.asked()?.forget(now)
    }

    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        self.asked()?.draw(meter, draw)
    }

    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        self.asked()?.give_back(returns)
    }

    fn board(&self) -> &dyn NoticeBoard {
        self.store.board()
    }

    fn sessions(&self) -> &dyn SessionBook {
        self.store.sessions()
    }

    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        self.asked()?.keep_master_key_check(check)
    }
}

/// A server and everything a test holds of it.
pub struct Harness {
    pub address: String,
    pub agent: ureq::Agent,
    clock: Arc<HeldClock>,
    silent: Arc<AtomicBool>,
    server: ServerHandle,
    /// The room behind the doors.
    pub office: Office,
    /// Tokens of one operator of each role.
    tokens: BTreeMap<Role, String>,
}

impl Harness {
    /// A server with one operator of each role, and with a generous budget of failures.
    pub fn start() -> Self {
        Self::with_failures(100_000)
    }

    /// The same with so many failures a minute.
    pub fn with_failures(per_minute: u32) -> Self {
        Self::open(Arc::new(MemoryStore::default()), per_minute)
    }

    /// The same on a store that is given.
    pub fn on(store: Arc<dyn Store>) -> Self {
        Self::open(store, 100_000)
    }

    fn open(store: Arc<dyn Store>, per_minute: u32) -> Self {
        let clock = Arc::new(HeldClock(AtomicI64::new(1_800_000_000_000)));
        let silent = Arc::new(AtomicBool::new(false));
        let store = MoodyStore {
            store,
            silent: Arc::clone(&silent),
        };
        let owner = first_owner(&store, &*clock);
        let office = office(Arc::new(store), Arc::clone(&clock), per_minute);
        let mut tokens: BTreeMap<Role, String> = [Role::Viewer, Role::Operator]
            .into_iter()
            .map(|role| (role, make_operator(&office, &owner, role)))
            .collect();
        tokens.insert(Role::Owner, owner);
        let (address, server) = serve(office.clone(), Arc::<HeldClock>::clone(&clock));
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .new_agent();
        Self {
            address,
            agent,
            clock,
            silent,
            server,
            office,
            tokens,
        }
    }

    /// The token of the operator with this role.
    pub fn token(&self, role: Role) -> &str {
        &self.tokens[&role]
    }

    /// This moment.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u32) {
        self.clock.0.fetch_add(i64::from(seconds) * 1000, Ordering::SeqCst);
    }

    /// Makes the store fall silent.
    pub fn silence(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Makes the store answer again.
    pub fn end_silence(&self) {
        self.silent.store(false, Ordering::SeqCst);
    }

    /// Does what housekeeping does.
    pub fn tend_keys(&self) {
        let tended = self.office.tend_keys(self.now());
        actix_web::rt::System::new().block_on(tended).unwrap();
    }

    /// A request by the owner.
    pub fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self, method, path).by(Role::Owner)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send()
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path).json(body).send()
    }

    /// An action without body.
    pub fn act(&self, path: &str) -> Answer {
        self.ask("POST", path).send()
    }

    /// A change of whatever is there.
    pub fn patch(&self, path: &str, body: &Value) -> Answer {
        self.ask("PATCH", path).header("If-Match", "*").json(body).send()
    }

    /// The number of the last journal row: what did not happen has not moved it.
    pub fn epoch(&self) -> Epoch {
        self.office.registry().epoch()
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn office(store: Arc<dyn Store>, clock: Arc<HeldClock>, failures_per_minute: u32) -> Office {
    let sealer = sealer();
    let door = Door::new(store, 4, Duration::from_secs(10), Arc::new(|_| ()));
    let registry = Registry::open(RegistryParts {
        door,
        sealer: Arc::clone(&sealer),
        capacity: 100,
        revoked: 1000,
        metrics: Arc::new(Metrics::new()),
        promise: Promise {
            freshness: Freshness::AtOnce,
            patience: Duration::from_secs(10),
            outage: None,
        },
        writer: UsageWriter::mint(&SystemEntropy::new()),
        budgets: Budgets {
            failures_per_minute: NonZeroU32::new(failures_per_minute).unwrap(),
            unknown_ids_per_minute: NonZeroU32::MAX,
            revocations_per_minute: NonZeroU32::MAX,
        },
    });
    let keys = KeyPolicy {
        algorithm: Algorithm::Es256,
        rotate_every: Seconds::from_days(30),
        jwks_max_age: Seconds(MAX_AGE),
    };
    Office::new(OfficeParts {
        registry: Arc::new(registry.unwrap()),
        pepper: Arc::new(pepper()),
        sealer,
        clock,
        entropy: Arc::new(SystemEntropy::new()),
        policy: OfficePolicy {
            operator_token_lifetime: TOKEN_LIFETIME,
            sessions: SessionPolicy {
                idle: Seconds(1_800),
                longest: Seconds(43_200),
            },
            silence: Seconds::from_days(14),
            usage_kept: Seconds::from_days(400),
            qa_keys: keys,
            production_keys: KeyPolicy {
                algorithm: Algorithm::EdDsa,
                ..keys
            },
        },
    })
}

fn sealer() -> Arc<Sealer> {
    let folder = tempfile::tempdir().unwrap();
    let master_key = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new());
    Arc::new(master_key.unwrap().sealer())
}

fn pepper() -> Pepper {
    Pepper::new(&[7; 32])
}

fn email(role: Role) -> EmailAddress {
    format!("{}@example.com", role.as_str()).parse().unwrap()
}

fn first_owner(store: &dyn Store, clock: &dyn Clock) -> String {
    let machine = Machine {
        store,
        pepper: &pepper(),
        clock,
        entropy: &SystemEntropy::new(),
        token_lifetime: TOKEN_LIFETIME,
    };
    let made = create_first_owner(&machine, email(Role::Owner)).unwrap();
    made.token.unwrap().expose().to_owned()
}

fn make_operator(office: &Office, owner: &str, role: Role) -> String {
    let new = NewOperator {
        email: email(role),
        role,
    };
    let made = async {
        let owner = office.administrator(owner).await?.unwrap();
        office.create_operator(&owner, Errand::default(), new).await
    };
    match actix_web::rt::System::new().block_on(made).unwrap() {
        Created::Now(made) => made.token.unwrap().expose().to_owned(),
        Created::Before(_) => panic!("there was no key"),
    }
}

/// Serves the office on a port of its own; whoever stands before the doors in the real server is played by a few lines here.
fn serve(office: Office, clock: Arc<dyn Clock>) -> (String, ServerHandle) {
    let (sender, started) = mpsc::channel();
    let gate = admin::Gate {
        body: 65_536,
        body_timeout: Duration::from_secs(10),
        metrics: Arc::new(Metrics::new()),
    };
    let console = Arc::new(ConsoleParts {
        office: Arc::new(office.clone()),
        gate: gate.clone(),
        public_url: "https://auth.example.com".to_owned(),
        cookie: CookieScope::Loopback,
        clock,
        entropy: Arc::new(SystemEntropy::new()),
    });
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                let (gate, console) = (gate.clone(), Arc::clone(&console));
                App::new()
                    .app_data(web::Data::new(office.clone()))
                    .wrap_fn(|request, service| {
                        request
                            .extensions_mut()
                            .insert(REQUEST_ID.parse::<RequestId>().unwrap());
                        let peer = request.headers().get("X-Test-Peer");
                        if let Some(peer) = peer.and_then(|peer| peer.to_str().ok()) {
                            let peer = PeerAddress(peer.parse().unwrap());
                            request.extensions_mut().insert(peer);
                        }
                        service.call(request)
                    })
                    .configure(|config| admin::configure(config, &gate))
                    .configure(|config| console::configure(config, &console))
            };
            let server = HttpServer::new(app)
                .workers(1)
                .disable_signals()
                .bind(("127.0.0.1", 0))
                .unwrap();
            let address = format!("http://{}", server.addrs()[0]);
            let server = server.run();
            sender.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    started.recv().unwrap()
}

/// What most tests need: a partner `acme` with a ceiling over all of it, and an API `orders` in each environment.
pub fn furnish(harness: &Harness) {
    let ceiling = serde_json::json!(["orders:read", "orders:write", "stock:read"]);
    let partner = serde_json::json!({ "partner_id": "acme", "name": "Acme GmbH", "scope_ceiling": ceiling });
    harness.post("/partners", &partner).expect(201);
    for environment in Environment::ALL {
        let api = serde_json::json!({
            "environment": environment,
            "api_id": "orders",
            "name": "Orders",
            "audience": format!("https://{environment}.example.com/orders"),
            "scopes": ["orders:read", "orders:write"],
        });
        harness.post("/apis", &api).expect(201);
    }
}

/// A partner's client to register.
pub fn warehouse() -> Value {
    serde_json::json!({
        "kind": "partner",
        "environment": "qa",
        "partner_id": "acme",
        "access_level": "full",
        "name": "Warehouse",
        "contact": "ada@acme.example",
    })
}

/// Registers a client and gives its id, its first secret's id and its path.
pub fn register(harness: &Harness, client: &Value) -> (String, String, String) {
    let created = harness.post("/clients", client).expect(201);
    let client_id = created["client"]["client_id"].as_str().unwrap().to_owned();
    let secret_id = created["secret"]["secret_id"].as_str().unwrap().to_owned();
    let path = format!("/clients/{client_id}");
    (client_id, secret_id, path)
}
