//! What issuing and introspecting cost beside many revoked tokens, against none: for `scripts/bench.sh`.
//!
//! `revoked 1000000 URL URL` fills the second of two empty databases with so many revoked tokens, then loads both in alternating
//! slices, since the speed of a machine changes within seconds and only neighbouring slices compare. It prints how long each replica
//! took to open, what its memory grew by, and the median ratio of the slices with its quartiles. No HTTP: what is measured is what
//! could depend on the number of tokens.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use mintmark::ambient::{Clock, Entropy, SystemClock, SystemEntropy};
use mintmark::authority::{
    Authority, AuthorityParts, Caller, Introspection, PresentedCredentials, PresentedMethod, TokenMemory, TokenRequest,
};
use mintmark::domain::{
    AccessLevel, Actor, Algorithm, AllowedApis, AllowedSources, Api, Attribution, AuthMethod, Client, ClientRole,
    ClientSecret, ClientStatus, Environment, Epoch, KeyState, Mutation, Partner, PartnerStatus, Pepper, RequestId,
    RevokedToken, Seconds, Secret, SecretKind, SecretStatus, SigningKeyRecord, Timestamp, TokenId, TokenLifetime,
    UsageWriter,
};
use mintmark::jose::KeyPair;
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{
    DatabaseUrl, Door, MasterKey, Migrate, SealedColumn, Sealer, StoreSettings, commit_in_bulk, open,
};
use mintmark::telemetry::Metrics;
use zeroize::Zeroizing;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(60);
/// Changes in one transaction.
const AT_A_TIME: usize = 20_000;
/// Slices of each side.
const SLICES: usize = 21;
const SLICE: Duration = Duration::from_millis(200);

/// A replica over one store, a client of it, and a resource server.
struct World {
    authority: Authority,
    client: (String, String),
    asking: (String, String),
    /// The one that is shown again and again.
    token: String,
}

fn main() -> Outcome<()> {
    let usage = "usage: revoked NUMBER URL URL";
    let mut arguments = std::env::args().skip(1);
    let number: usize = arguments.next().ok_or(usage)?.parse()?;
    let none: DatabaseUrl = arguments.next().ok_or(usage)?.parse()?;
    let many: DatabaseUrl = arguments.next().ok_or(usage)?.parse()?;
    System::new().block_on(async {
        let mut none = World::build(&none, 0).await?;
        let mut many = World::build(&many, number).await?;
        // Filling the second takes longer than a token lives.
        none.token = none.issue().await?;
        many.token = many.issue().await?;
        compare("issuing", (&none, &many), async |world: &World| {
            world.issue().await.map(drop)
        })
        .await?;
        compare(
            "introspection of a repeated token",
            (&none, &many),
            async |world: &World| world.introspect(&world.token).await,
        )
        .await?;
        compare(
            "issuing and introspection of a new token",
            (&none, &many),
            async |world: &World| world.introspect(&world.issue().await?).await,
        )
        .await
    })
}

/// Loads both sides in turn, and prints the ratio of many to none.
async fn compare(what: &str, (none, many): (&World, &World), work: impl AsyncFn(&World) -> Outcome<()>) -> Outcome<()> {
    let mut ratios = Vec::with_capacity(SLICES);
    let mut rates = (0.0, 0.0);
    for _ in 0..SLICES {
        rates = (rate(none, &work).await?, rate(many, &work).await?);
        ratios.push(rates.1 / rates.0);
    }
    ratios.sort_by(f64::total_cmp);
    let [first, median, third] = [SLICES / 4, SLICES / 2, SLICES * 3 / 4].map(|at| ratios[at]);
    println!(
        "{what}: {median:.3} ({first:.3} to {third:.3}); the last slices {:.0}/s with none, {:.0}/s with many",
        rates.0, rates.1
    );
    Ok(())
}

async fn rate(world: &World, work: &impl AsyncFn(&World) -> Outcome<()>) -> Outcome<f64> {
    let (began, mut done) = (Instant::now(), 0_u32);
    while began.elapsed() < SLICE {
        work(world).await?;
        done += 1;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

impl World {
    async fn build(url: &DatabaseUrl, revoked: usize) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let master = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new())?;
        let (pepper, sealer) = (Arc::new(master.pepper()), Arc::new(master.sealer()));
        let settings = StoreSettings {
            url: url.clone(),
            pool_size: 4,
            timeout: PATIENCE,
            migrate: Migrate::Auto,
        };
        drop(open(&settings)?);
        let (client, asking) = fill(url, (&pepper, &sealer), revoked)?;
        let before = resident()?;
        let began = Instant::now();
        let metrics = Arc::new(Metrics::new());
        let registry = Arc::new(Registry::open(RegistryParts {
            door: Door::new(open(&settings)?, 4, PATIENCE, Arc::new(|_| ())),
            sealer,
            metrics,
            capacity: 1000,
            revoked: 10_000_000,
            promise: Promise {
                freshness: Freshness::AtOnce,
                patience: PATIENCE,
                outage: None,
            },
            budgets: Budgets {
                failures_per_minute: 1000.try_into()?,
                unknown_ids_per_minute: 1000.try_into()?,
                revocations_per_minute: 1000.try_into()?,
            },
            writer: UsageWriter::mint(&SystemEntropy::new()),
        })?);
        println!(
            "opened with {} revoked tokens in {} ms, {} kB more in memory",
            registry.revoked_tokens(),
            began.elapsed().as_millis(),
            resident()?.saturating_sub(before)
        );
        let parts = AuthorityParts {
            registry,
            pepper,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy::new()),
            memory: TokenMemory {
                verified: 10_000,
                coalesce: None,
            },
        };
        let lifetime = TokenLifetime::try_from(300)?;
        let authority = Authority::new(parts, Environment::Qa, "http://127.0.0.1:8080", lifetime);
        Ok(Self {
            authority,
            client,
            asking,
            token: String::new(),
        })
    }

    async fn issue(&self) -> Outcome<String> {
        let request = TokenRequest {
            grant_type: Some("client_credentials"),
            ..TokenRequest::default()
        };
        let issued = self
            .authority
            .token(presented(&self.client), request, &caller())
            .await?;
        Ok(issued.response.access_token)
    }

    async fn introspect(&self, token: &str) -> Outcome<()> {
        match self
            .authority
            .introspect(presented(&self.asking), Some(token), &caller())
            .await?
        {
            Introspection::Active(_) => Ok(()),
            Introspection::Inactive => Err("a good token was not confirmed".into()),
        }
    }
}

fn presented((client_id, secret): &(String, String)) -> PresentedCredentials {
    let secret = Zeroizing::new(secret.clone());
    PresentedCredentials::new(client_id.clone(), secret, PresentedMethod::ClientSecretBasic)
}

fn caller() -> Caller {
    Caller {
        source: IpAddr::V4(Ipv4Addr::LOCALHOST),
        request_id: RequestId::mint(&SystemEntropy::new()),
    }
}

/// The resident memory of this process, in kB.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.ok_or("no VmRSS")?.trim().trim_end_matches(" kB").parse()?)
}

/// Registers an API, a partner, its client and a resource server, lets a key sign, and revokes tokens. Returns what the client and
/// the resource server authenticate with.
fn fill(
    url: &DatabaseUrl,
    (pepper, sealer): (&Pepper, &Sealer),
    revoked: usize,
) -> Outcome<((String, String), (String, String))> {
    let (entropy, now) = (SystemEntropy::new(), SystemClock.now());
    let partner_role = ClientRole::Partner {
        partner_id: "acme".parse()?,
        access: AccessLevel::Full,
        allowed_apis: AllowedApis::Every,
    };
    let server_role = ClientRole::ResourceServer {
        api_id: "orders".parse()?,
    };
    let (client, secret, own) = registered(("qa-acme-0000000001", partner_role), pepper, now)?;
    let (server, server_secret, asking) = registered(("qa-orders-0000000002", server_role), pepper, now)?;
    let (client_id, secret_id) = (client.client_id.clone(), secret.secret_id.clone());
    let mut first = standing(now)?;
    first.push(Mutation::ClientRegistered(client, secret));
    first.push(Mutation::ClientRegistered(server, server_secret));
    let key = signing_key(sealer, now)?;
    first.push(Mutation::KeyAnnounced(key.clone()));
    first.push(Mutation::KeyActivated(SigningKeyRecord {
        state: KeyState::Active,
        active_since: Some(now),
        ..key
    }));
    let attribution = Attribution {
        actor: Actor::CommandLine,
        at: SystemClock.now_milliseconds(),
        request_id: None,
    };
    commit_in_bulk(url, PATIENCE, &attribution, first)?;
    for begin in (0..revoked).step_by(AT_A_TIME) {
        let tokens = (begin..revoked.min(begin + AT_A_TIME)).map(|number| {
            Mutation::TokenRevoked(RevokedToken {
                jti: TokenId::mint(&secret_id, &entropy),
                client_id: client_id.clone(),
                partner_id: "acme".parse().expect("it has the form of a partner's id"),
                environment: Environment::Qa,
                // Among them the seconds in which the tokens of this run end.
                expires_at: now + Seconds(u32::try_from(number % 3600).expect("it is less than an hour")),
            })
        });
        commit_in_bulk(url, PATIENCE, &attribution, tokens)?;
    }
    Ok((own, asking))
}

fn standing(now: Timestamp) -> Outcome<Vec<Mutation>> {
    let api = Api {
        api_id: "orders".parse()?,
        environment: Environment::Qa,
        name: "Orders".parse()?,
        audience: "https://api.example.com/orders".parse()?,
        scopes: "orders:read orders:write".parse()?,
        created_at: now,
        version: Epoch::ZERO,
    };
    let partner = Partner {
        partner_id: "acme".parse()?,
        name: "Acme".parse()?,
        scope_ceiling: api.scopes.clone(),
        status: PartnerStatus::Active,
        parent: None,
        plan: None,
        created_at: now,
        version: Epoch::ZERO,
    };
    Ok(vec![Mutation::ApiRegistered(api), Mutation::PartnerRegistered(partner)])
}

/// A client, its secret, and what it authenticates with.
fn registered(
    (client_id, role): (&str, ClientRole),
    pepper: &Pepper,
    now: Timestamp,
) -> Outcome<(Client, ClientSecret, (String, String))> {
    let entropy = SystemEntropy::new();
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
    let secret = Secret::mint(SecretKind::Client(Environment::Qa), &entropy);
    let record = ClientSecret {
        secret_id: mintmark::domain::SecretId::mint(&entropy),
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
    Ok((client, record, (client_id.to_owned(), secret.expose().to_owned())))
}

fn signing_key(sealer: &Sealer, now: Timestamp) -> Outcome<SigningKeyRecord> {
    let entropy: &dyn Entropy = &SystemEntropy::new();
    let pkcs8 = KeyPair::generate(Algorithm::Es256)?;
    let pair = KeyPair::from_pkcs8(Algorithm::Es256, pkcs8.as_der())?;
    let kid = pair.jwk().key_id().clone();
    Ok(SigningKeyRecord {
        sealed_private_key: sealer.seal(SealedColumn::private_key(&kid), pkcs8.as_der(), entropy),
        kid,
        environment: Environment::Qa,
        algorithm: Algorithm::Es256,
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
