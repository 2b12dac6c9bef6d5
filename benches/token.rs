//! The steps of a request on their own, in one process and on the store in memory: `cargo bench`. What a whole server does, beside
//! another one, is measured by `scripts/bench.sh`.

use std::hint::black_box;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::Runtime;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use criterion::{Criterion, criterion_group, criterion_main};
use mintmark::ambient::{Clock as _, SystemClock, SystemEntropy};
use mintmark::authority::{
    Authority, AuthorityParts, Caller, PresentedCredentials, PresentedMethod, TokenMemory, TokenRequest,
};
use mintmark::domain::{
    AccessLevel, Actor, Algorithm, AllowedApis, AllowedSources, Api, Attribution, AuthMethod, Client, ClientRole,
    ClientSecret, ClientStatus, Environment, Epoch, KeyPolicy, Mutation, Partner, PartnerStatus, Pepper, RequestId,
    Seconds, Secret, SecretId, SecretKind, SecretStatus, TokenLifetime, UsageWriter,
};
use mintmark::http::{basic, form};
use mintmark::office::{Office, OfficeParts, OfficePolicy};
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{Door, MasterKey, MemoryStore, Store};
use mintmark::telemetry::Metrics;
use zeroize::Zeroizing;

const SCOPES: &str = "orders:read orders:write";

/// An installation with one client and one resource server, and the secrets of both.
struct House {
    authority: Authority,
    client: (String, String),
    resource_server: (String, String),
    runtime: Runtime,
}

fn commit(store: &dyn Store, mutation: &Mutation) {
    let attribution = Attribution {
        actor: Actor::CommandLine,
        at: SystemClock.now_milliseconds(),
        request_id: None,
    };
    let mut decide = |_: &mut dyn mintmark::store::Records| Ok(Some(mutation.clone().into()));
    store.commit(&attribution, &mut decide).expect("the store commits");
}

/// Registers a client with this role; its id and its secret.
fn register(store: &dyn Store, pepper: &Pepper, role: ClientRole) -> (String, String) {
    let (entropy, now) = (SystemEntropy::new(), SystemClock.now());
    let secret = Secret::mint(SecretKind::Client(Environment::Qa), &entropy);
    let client = Client {
        client_id: mintmark::domain::ClientId::mint(Environment::Qa, "acme", &entropy),
        environment: Environment::Qa,
        role,
        name: "Warehouse".parse().expect("it is a name"),
        contact: "warehouse@example.com".parse().expect("it is an address"),
        token_endpoint_auth_method: AuthMethod::Any,
        token_lifetime: None,
        limits: None,
        allowed_sources: AllowedSources::Any,
        expires_at: None,
        status: ClientStatus::Active,
        created_at: now,
        version: Epoch::ZERO,
    };
    let record = ClientSecret {
        secret_id: SecretId::mint(&entropy),
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
    let credentials = (client.client_id.to_string(), secret.expose().to_owned());
    commit(store, &Mutation::ClientRegistered(client, record));
    credentials
}

/// Registers a partner and its API.
fn populate(store: &dyn Store) {
    let now = SystemClock.now();
    commit(
        store,
        &Mutation::ApiRegistered(Api {
            api_id: "orders".parse().expect("it is a slug"),
            environment: Environment::Qa,
            name: "Orders".parse().expect("it is a name"),
            audience: "https://api.example.com/orders".parse().expect("it is a URI"),
            scopes: SCOPES.parse().expect("these are scopes"),
            created_at: now,
            version: Epoch::ZERO,
        }),
    );
    commit(
        store,
        &Mutation::PartnerRegistered(Partner {
            partner_id: "acme".parse().expect("it is a slug"),
            name: "Acme".parse().expect("it is a name"),
            scope_ceiling: SCOPES.parse().expect("these are scopes"),
            status: PartnerStatus::Active,
            parent: None,
            plan: None,
            created_at: now,
            version: Epoch::ZERO,
        }),
    );
}

impl House {
    fn signing_with(algorithm: Algorithm) -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let master_key = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new())
            .expect("a master key can be made");
        let (pepper, sealer) = (Arc::new(master_key.pepper()), Arc::new(master_key.sealer()));
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        populate(&*store);
        let (partner_id, api_id) = ("acme", "orders");
        let partner = ClientRole::Partner {
            partner_id: partner_id.parse().expect("it is a slug"),
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        };
        let api = ClientRole::ResourceServer {
            api_id: api_id.parse().expect("it is a slug"),
        };
        let client = register(&*store, &pepper, partner);
        let resource_server = register(&*store, &pepper, api);
        let runtime = Runtime::new().expect("a runtime can be made");
        let registry = Arc::new(
            runtime
                .block_on(async { Registry::open(registry_parts(store, &sealer)) })
                .expect("it opens"),
        );
        let policy = KeyPolicy {
            algorithm,
            rotate_every: Seconds::from_days(30),
            jwks_max_age: Seconds(300),
        };
        let office = Office::new(OfficeParts {
            registry: Arc::clone(&registry),
            pepper: Arc::clone(&pepper),
            sealer,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            policy: OfficePolicy {
                operator_token_lifetime: Seconds::from_days(90),
                silence: Seconds::from_days(30),
                usage_kept: Seconds::from_days(400),
                qa_keys: policy,
                production_keys: policy,
            },
        });
        runtime
            .block_on(office.tend_keys(SystemClock.now()))
            .expect("there are keys");
        let parts = AuthorityParts {
            registry,
            pepper,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            memory: TokenMemory {
                verified: 1000,
                coalesce: None,
            },
        };
        let lifetime = TokenLifetime::try_from(3600).expect("an hour is a lifetime");
        let authority = Authority::new(parts, Environment::Qa, "http://127.0.0.1:8080", lifetime);
        Self {
            authority,
            client,
            resource_server,
            runtime,
        }
    }

    fn token(&self) -> String {
        let request = TokenRequest {
            grant_type: Some("client_credentials"),
            ..TokenRequest::default()
        };
        let caller = caller();
        let issued = self.authority.token(presented(&self.client), request, &caller);
        self.runtime
            .block_on(issued)
            .expect("a token is issued")
            .response
            .access_token
    }
}

fn registry_parts(store: Arc<dyn Store>, sealer: &Arc<mintmark::store::Sealer>) -> RegistryParts {
    let patience = Duration::from_secs(10);
    RegistryParts {
        door: Door::new(store, 4, patience, Arc::new(|_| ())),
        sealer: Arc::clone(sealer),
        metrics: Arc::new(Metrics::new()),
        capacity: 1000,
        revoked: 1000,
        promise: Promise {
            freshness: Freshness::AtOnce,
            patience,
            outage: None,
        },
        budgets: Budgets {
            failures_per_minute: NonZeroU32::MAX,
            unknown_ids_per_minute: NonZeroU32::MAX,
            revocations_per_minute: NonZeroU32::MAX,
        },
        writer: UsageWriter::mint(&SystemEntropy::new()),
    }
}

fn caller() -> Caller {
    Caller {
        source: std::net::Ipv4Addr::LOCALHOST.into(),
        request_id: "bench-0001".parse::<RequestId>().expect("it is sane"),
    }
}

fn presented((client_id, secret): &(String, String)) -> PresentedCredentials {
    let secret = Zeroizing::new(secret.clone());
    PresentedCredentials::new(client_id.clone(), secret, PresentedMethod::ClientSecretBasic)
}

fn parsing(criterion: &mut Criterion) {
    let house = House::signing_with(Algorithm::Es256);
    let (client_id, secret) = &house.client;
    let header = format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")));
    let body = format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
    criterion.bench_function("parsing/form", |bencher| {
        bencher.iter(|| form::parse(black_box(body.as_bytes())))
    });
    criterion.bench_function("parsing/basic", |bencher| {
        bencher.iter(|| basic::parse(black_box(&header)).is_ok());
    });
}

/// A grant that is not served is refused right behind the authentication.
fn authentication(criterion: &mut Criterion) {
    let house = House::signing_with(Algorithm::Es256);
    criterion.bench_function("authentication", |bencher| {
        bencher.iter(|| {
            let request = TokenRequest {
                grant_type: Some("password"),
                ..TokenRequest::default()
            };
            let caller = caller();
            let refused = house.authority.token(presented(&house.client), request, &caller);
            house.runtime.block_on(refused).is_err()
        });
    });
}

fn issuing(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let house = House::signing_with(algorithm);
        criterion.bench_function(&format!("issuing/{algorithm}"), |bencher| {
            bencher.iter(|| house.token())
        });
    }
}

fn introspection(criterion: &mut Criterion) {
    let house = House::signing_with(Algorithm::Es256);
    let introspect = |token: &str| {
        let caller = caller();
        let asked = house
            .authority
            .introspect(presented(&house.resource_server), Some(token), &caller);
        house.runtime.block_on(asked).is_ok()
    };
    let token = house.token();
    criterion.bench_function("introspection/repeated", |bencher| bencher.iter(|| introspect(&token)));
    criterion.bench_function("introspection/fresh", |bencher| {
        bencher.iter_batched(
            || house.token(),
            |token| introspect(&token),
            criterion::BatchSize::SmallInput,
        );
    });
}

criterion_group!(token, parsing, authentication, issuing, introspection);
criterion_main!(token);
