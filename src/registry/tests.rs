//! Two replicas over one store: what one commits the other knows, or it does not answer.

use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use super::cache::Remembered;
use super::*;
use crate::ambient::{Clock as _, SystemClock, SystemEntropy};
use crate::domain::{
    AccessLevel, Actor, AllowedApis, AllowedSources, Api, ApiId, AuthMethod, Client, ClientId, ClientRole,
    ClientSecret, ClientStatus, Meter, Milliseconds, Mutation, Partner, PartnerStatus, Pepper, Scope, Secret, SecretId,
    SecretKind, SecretStatus, UsageBatch,
};
use crate::store::{Decide, Draw, Drawn, Follower, MasterKey, MemoryStore, NoticeBoard, Read, Return, SessionBook};

mod filling;
mod reconnecting;

/// What happens while somebody reads.
type Meanwhile = Box<dyn FnMut() + Send>;

/// A memory store as others share it, which can be made not to answer those who follow it.
#[derive(Clone, Default)]
struct SharedStore {
    store: MemoryStore,
    deaf: Arc<AtomicBool>,
    /// How many began to follow it.
    followed: Arc<AtomicUsize>,
    /// How often it was asked what came since.
    asked: Arc<AtomicUsize>,
    /// Whoever holds it keeps the answers to that back.
    gate: Arc<Mutex<()>>,
    /// The batches that were written.
    batches: Arc<Mutex<Vec<UsageBatch>>>,
    /// How many of them are taken before the next is refused.
    most_batches: Arc<Mutex<Option<usize>>>,
    /// What happens after each reading, before its reader goes on.
    after_read: Arc<Mutex<Option<Meanwhile>>>,
}

impl Store for SharedStore {
    fn sharing(&self) -> Sharing {
        Sharing::Shared
    }
    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        self.store.read(read)?;
        if let Some(meanwhile) = self.after_read.lock().unwrap().as_mut() {
            meanwhile();
        }
        Ok(())
    }
    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        self.store.commit(attribution, decide)
    }
    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        self.followed.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(SharedFollower {
            follower: self.store.follower()?,
            store: self.clone(),
        }))
    }
    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        let mut batches = self.batches.lock().unwrap();
        if *self.most_batches.lock().unwrap() == Some(batches.len()) {
            return Err(StoreError::Unavailable("full".to_owned()));
        }
        batches.push(batch.clone());
        self.store.record_usage(batch)
    }
    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.store.forget_usage(before)
    }
    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.forget(now)
    }
    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        self.store.draw(meter, draw)
    }
    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        self.store.give_back(returns)
    }
    fn board(&self) -> &dyn NoticeBoard {
        self.store.board()
    }
    fn sessions(&self) -> &dyn SessionBook {
        self.store.sessions()
    }
    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        self.store.keep_master_key_check(check)
    }
}

struct SharedFollower {
    follower: Box<dyn Follower>,
    store: SharedStore,
}

impl Follower for SharedFollower {
    fn after(&mut self, known: Known, limit: u16) -> Result<Vec<JournalEntry>, StoreError> {
        self.store.asked.fetch_add(1, Ordering::SeqCst);
        drop(self.store.gate.lock().unwrap());
        if self.store.deaf.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("cut off".to_owned()));
        }
        self.follower.after(known, limit)
    }
}

const AT_ONCE: Promise = Promise {
    freshness: Freshness::AtOnce,
    patience: Duration::from_secs(5),
    outage: None,
};

fn replica(store: &SharedStore, promise: Promise) -> Registry {
    let folder = tempfile::tempdir().unwrap();
    let master_key = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new()).unwrap();
    let metrics = Arc::new(Metrics::new());
    let door = Door::new(Arc::new(store.clone()), 4, Duration::from_secs(5), Arc::new(|_| {}));
    let sealer = Arc::new(master_key.sealer());
    Registry::open(RegistryParts {
        door,
        sealer,
        metrics,
        capacity: 600,
        revoked: 100,
        promise,
        writer: UsageWriter::mint(&SystemEntropy::new()),
        budgets: Budgets {
            failures_per_minute: NonZeroU32::MAX,
            unknown_ids_per_minute: NonZeroU32::MAX,
            revocations_per_minute: NonZeroU32::MAX,
        },
    })
    .unwrap()
}

pub(super) fn by_the_server() -> Attribution {
    Attribution {
        actor: Actor::Server,
        at: Milliseconds(1_000),
        request_id: None,
    }
}

pub(super) fn partner() -> Partner {
    Partner {
        partner_id: "acme".parse().unwrap(),
        name: "Acme".parse().unwrap(),
        scope_ceiling: "read".parse().unwrap(),
        status: PartnerStatus::Active,
        parent: None,
        plan: None,
        created_at: Timestamp::from_seconds(1),
        version: Epoch::ZERO,
    }
}

pub(super) fn client() -> (Client, ClientSecret) {
    let entropy = SystemEntropy::new();
    let secret = Secret::mint(SecretKind::Client(Environment::Qa), &entropy);
    let client = Client {
        client_id: ClientId::mint(Environment::Qa, "acme", &entropy),
        environment: Environment::Qa,
        role: ClientRole::Partner {
            partner_id: "acme".parse().unwrap(),
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        },
        name: "Shop".parse().unwrap(),
        contact: "ada@example.com".parse().unwrap(),
        token_endpoint_auth_method: AuthMethod::Any,
        token_lifetime: None,
        limits: None,
        allowed_sources: AllowedSources::Any,
        expires_at: None,
        status: ClientStatus::Active,
        created_at: Timestamp::from_seconds(1),
        version: Epoch::ZERO,
    };
    let kept = ClientSecret {
        secret_id: SecretId::mint(&entropy),
        client_id: client.client_id.clone(),
        digest: Pepper::new(&[1; 32]).digest(secret.expose()),
        note: None,
        hint: secret.hint(),
        created_by: "server".to_owned(),
        created_at: Timestamp::from_seconds(1),
        not_before: Timestamp::from_seconds(1),
        expires_at: None,
        status: SecretStatus::Active,
        last_used_at: None,
        last_used_source: None,
        version: Epoch::ZERO,
    };
    (client, kept)
}

pub(super) fn api() -> Api {
    Api {
        api_id: "orders".parse::<ApiId>().unwrap(),
        environment: Environment::Qa,
        name: "Orders".parse().unwrap(),
        audience: "https://api.example.com/orders".parse().unwrap(),
        scopes: "read write".parse().unwrap(),
        created_at: Timestamp::from_seconds(1),
        version: Epoch::ZERO,
    }
}

async fn commit(registry: &Registry, mutation: Mutation) {
    let decide = move |_: &mut dyn Records| Ok((Some(mutation.clone().into()), ()));
    registry.commit(by_the_server(), decide).await.unwrap();
}

async fn registered(registry: &Registry) -> Client {
    let (client, secret) = client();
    commit(registry, Mutation::PartnerRegistered(partner())).await;
    commit(registry, Mutation::ApiRegistered(api())).await;
    commit(registry, Mutation::ClientRegistered(client.clone(), secret)).await;
    client
}

/// What a replica knows of a client behind the barrier.
async fn known(registry: &Registry, client: &Client) -> Option<Arc<RegisteredClient>> {
    registry.fresh().await.unwrap().client(&client.client_id).await.unwrap()
}

#[actix_web::test]
async fn what_one_replica_commits_the_other_knows_at_once() {
    let store = SharedStore::default();
    let (one, other) = (replica(&store, AT_ONCE), replica(&store, AT_ONCE));
    let client = registered(&one).await;
    for _ in 0..50 {
        assert!(known(&other, &client).await.unwrap().is_live(SystemClock.now()));
        commit(&one, Mutation::ClientSuspended(client.clone().suspended().unwrap())).await;
        assert!(!known(&other, &client).await.unwrap().is_live(SystemClock.now()));
        commit(&other, Mutation::ClientReinstated(client.clone())).await;
        assert!(known(&one, &client).await.unwrap().is_live(SystemClock.now()));
    }
}

#[actix_web::test]
async fn partners_and_apis_reach_every_client_under_them() {
    let store = SharedStore::default();
    let (one, other) = (replica(&store, AT_ONCE), replica(&store, AT_ONCE));
    let client = registered(&one).await;
    let scope = |known: &RegisteredClient| {
        known
            .entitlements
            .each()
            .iter()
            .map(|entitled| entitled.scope.to_string())
            .collect::<String>()
    };
    assert_eq!(scope(&known(&other, &client).await.unwrap()), "read");
    let scope_ceiling: Scope = "read write".parse().unwrap();
    commit(
        &one,
        Mutation::PartnerChanged(Partner {
            scope_ceiling,
            ..partner()
        }),
    )
    .await;
    assert_eq!(scope(&known(&other, &client).await.unwrap()), "read write");
    commit(
        &one,
        Mutation::ApiChanged(Api {
            scopes: "write".parse().unwrap(),
            ..api()
        }),
    )
    .await;
    assert_eq!(scope(&known(&other, &client).await.unwrap()), "write");
    commit(&one, Mutation::PartnerSuspended(partner().suspended().unwrap())).await;
    assert!(known(&other, &client).await.unwrap().entitlements.each().is_empty());
}

#[actix_web::test]
async fn a_stranger_is_remembered_until_registered() {
    let store = SharedStore::default();
    let (one, other) = (replica(&store, AT_ONCE), replica(&store, AT_ONCE));
    let client = registered(&one).await;
    let (second, secret) = self::client();
    assert!(known(&other, &second).await.is_none());
    assert!(known(&other, &second).await.is_none());
    commit(&one, Mutation::ClientRegistered(second.clone(), secret)).await;
    assert_eq!(known(&other, &second).await.unwrap().client.client_id, second.client_id);
    assert_eq!(known(&other, &client).await.unwrap().client.client_id, client.client_id);
}

#[actix_web::test]
async fn a_replica_that_is_cut_off_answers_nothing_and_recovers_by_itself() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    let client = registered(&registry).await;
    assert!(known(&registry, &client).await.is_some());
    store.deaf.store(true, Ordering::SeqCst);
    assert!(registry.fresh().await.is_err());
    store.deaf.store(false, Ordering::SeqCst);
    assert!(known(&registry, &client).await.is_some());
}

#[actix_web::test]
async fn an_outage_is_bridged_only_where_that_was_asked_for() {
    let store = SharedStore::default();
    let bridging = Promise {
        outage: Some(Duration::from_hours(1)),
        ..AT_ONCE
    };
    let (bridged, strict) = (
        replica(&store, bridging),
        replica(
            &store,
            Promise {
                outage: Some(Duration::ZERO),
                ..AT_ONCE
            },
        ),
    );
    store.deaf.store(true, Ordering::SeqCst);
    assert!(bridged.fresh().await.is_ok());
    assert!(
        bridged
            .metrics
            .render()
            .contains("mintmark_registry_stale_answers_total 1")
    );
    assert!(strict.fresh().await.is_err());
}

#[actix_web::test]
async fn a_bounded_staleness_asks_the_store_less_often() {
    let store = SharedStore::default();
    let relaxed = Promise {
        freshness: Freshness::Within(Duration::from_hours(1)),
        ..AT_ONCE
    };
    let registry = replica(&store, relaxed);
    store.deaf.store(true, Ordering::SeqCst);
    assert!(registry.fresh().await.is_ok(), "the last beat is younger than an hour");
}

#[test]
fn a_fill_that_a_commit_overtook_is_not_kept() {
    let clients = ClientCache::new(10);
    let (client, _) = client();
    let found = Arc::new(read((client.clone(), Vec::new()), &[]));
    let entry = Mutation::ClientSuspended(client.clone()).entry(
        Epoch::new(1),
        &by_the_server(),
        crate::domain::ChainHash::GENESIS,
    );
    let began = clients.begin_fill();
    clients.apply(&entry);
    assert!(!clients.end_fill(began, &client.client_id, Some(&found)));
    assert!(matches!(clients.get(&client.client_id), Remembered::Forgotten));
    let began = clients.begin_fill();
    assert!(clients.end_fill(began, &client.client_id, Some(&found)));
    assert!(matches!(clients.get(&client.client_id), Remembered::Known(_)));
    clients.apply(&entry);
    assert!(matches!(clients.get(&client.client_id), Remembered::Forgotten));
}

/// A client of these partners in `environment`, with one secret, as it is kept.
pub(super) fn kept(environment: Environment, partners: &[&str]) -> (Client, ClientSecret) {
    let (mut client, mut secret) = client();
    client.client_id = ClientId::mint(environment, "shop", &SystemEntropy::new());
    client.environment = environment;
    secret.client_id = client.client_id.clone();
    client.role = match partners.first() {
        Some(partner_id) => ClientRole::Partner {
            partner_id: partner_id.parse().unwrap(),
            access: AccessLevel::Full,
            allowed_apis: AllowedApis::Every,
        },
        None => ClientRole::ResourceServer {
            api_id: "orders".parse().unwrap(),
        },
    };
    (client, secret)
}

/// What is kept of a client of these partners, as it is read where there is no API.
pub(super) fn read(kept: (Client, Vec<ClientSecret>), partners: &[&str]) -> RegisteredClient {
    let of = |partner_id: &&str| Partner {
        partner_id: partner_id.parse().unwrap(),
        ..partner()
    };
    RegisteredClient::new(kept, (partners.iter().map(of).collect(), None), &[])
}

/// A client, as it is kept and as it is remembered.
struct Both {
    client: Client,
    secret: ClientSecret,
    known: Arc<RegisteredClient>,
}

fn remembered(clients: &ClientCache, environment: Environment, partners: &[&str]) -> Both {
    let (client, secret) = kept(environment, partners);
    let known = Arc::new(read((client.clone(), vec![secret.clone()]), partners));
    assert!(clients.end_fill(clients.begin_fill(), &client.client_id, Some(&known)));
    Both { client, secret, known }
}

/// A kind of change, made to the six clients of a test, and which of them it makes a replica forget.
type Case<'a> = (&'a str, &'a dyn Fn(&[Both; 6]) -> Mutation, &'a [usize]);

/// Every kind of change, and which of six clients it makes a replica forget: two of `acme` and one of its sub-account in QA, one of
/// `acme` in production, one of `globex`, and a resource server in QA.
#[test]
fn a_change_forgets_those_it_reaches_and_no_others() {
    let fill = |clients: &ClientCache| -> [Both; 6] {
        [
            remembered(clients, Environment::Qa, &["acme"]),
            remembered(clients, Environment::Qa, &["acme"]),
            remembered(clients, Environment::Qa, &["acme-north", "acme"]),
            remembered(clients, Environment::Production, &["acme"]),
            remembered(clients, Environment::Qa, &["globex"]),
            remembered(clients, Environment::Qa, &[]),
        ]
    };
    let added = |to: &Both| Mutation::SecretAdded {
        secret: ClientSecret {
            secret_id: SecretId::mint(&SystemEntropy::new()),
            ..to.secret.clone()
        },
        retiring: vec![to.secret.clone()],
        partner_id: to.client.partner_id().cloned(),
        environment: to.client.environment,
    };
    let retired = |of: &Both| Mutation::SecretRetired {
        secret: of.secret.clone(),
        partner_id: of.client.partner_id().cloned(),
        environment: of.client.environment,
    };
    let of_partner = |partner_id: &str| {
        let partner_id = partner_id.parse().unwrap();
        Mutation::PartnerChanged(Partner {
            partner_id,
            ..partner()
        })
    };
    let cases: [Case<'_>; 9] = [
        ("a client", &|all| Mutation::ClientChanged(all[0].client.clone()), &[0]),
        ("a secret that ends", &|all| retired(&all[1]), &[1]),
        ("one that ends in production", &|all| retired(&all[3]), &[3]),
        ("a new secret", &|all| added(&all[0]), &[0]),
        ("one of a resource server", &|all| added(&all[5]), &[5]),
        ("one of a sub-account", &|all| added(&all[2]), &[2]),
        ("a partner above another", &|_| of_partner("acme"), &[0, 1, 2, 3]),
        ("a partner below", &|_| of_partner("acme-north"), &[2]),
        ("an API", &|_| Mutation::ApiChanged(api()), &[0, 1, 2, 4, 5]),
    ];
    for (what, change, forgotten) in cases {
        let clients = ClientCache::new(100);
        let all = fill(&clients);
        let genesis = crate::domain::ChainHash::GENESIS;
        let entry = change(&all).entry(Epoch::new(1), &by_the_server(), genesis);
        let began = clients.begin_fill();
        clients.apply(&entry);
        let is_forgotten = |at: &usize| matches!(clients.get(&all[*at].client.client_id), Remembered::Forgotten);
        assert_eq!((0..6).filter(is_forgotten).collect::<Vec<_>>(), forgotten, "{what}");
        for overtaken in forgotten.iter().map(|at| &all[*at]) {
            let client_id = &overtaken.client.client_id;
            assert!(!clients.end_fill(began, client_id, Some(&overtaken.known)), "{what}");
        }
    }
}

/// So many clients of one partner, each with one secret.
fn many(count: usize) -> Vec<Arc<RegisteredClient>> {
    let clients = ClientCache::new(2 * count);
    (0..count)
        .map(|_| remembered(&clients, Environment::Qa, &["acme"]).known)
        .collect()
}

fn used(client: &RegisteredClient) -> Happening<'_> {
    Happening::Used {
        secret_id: &client.secrets[0].secret_id,
        source: [192, 0, 2, 1].into(),
    }
}

/// The secrets whose use was written so far, each as often as it was written.
fn written(store: &SharedStore) -> Vec<SecretId> {
    let batches = store.batches.lock().unwrap();
    let uses = batches.iter().flat_map(|batch| &batch.uses);
    let mut ids: Vec<_> = uses.map(|used| used.secret_id.clone()).collect();
    ids.sort();
    ids
}

#[actix_web::test]
async fn usage_is_written_in_pieces_and_none_is_lost_when_one_fails() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    let clients = many(150);
    let now = Timestamp::from_seconds(7);
    for client in &clients {
        registry.put_down(client, now, used(client));
    }
    *store.most_batches.lock().unwrap() = Some(1);
    assert!(registry.flush().await.is_err());
    assert_eq!(written(&store).len(), 100);
    *store.most_batches.lock().unwrap() = None;
    registry.flush().await.unwrap();
    registry.flush().await.unwrap();
    let mut expected: Vec<_> = clients
        .iter()
        .map(|client| client.secrets[0].secret_id.clone())
        .collect();
    expected.sort();
    assert_eq!(
        written(&store),
        expected,
        "each once, those of the batch that failed too"
    );
}

#[actix_web::test]
async fn two_flushes_at_once_write_nothing_twice() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    for client in many(150) {
        registry.put_down(&client, Timestamp::from_seconds(7), used(&client));
    }
    let (mut first, mut second) = (pin!(registry.flush()), pin!(registry.flush()));
    {
        // Both begin before the store takes anything.
        let _held = store.batches.lock().unwrap();
        let mut context = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
    }
    first.await.unwrap();
    second.await.unwrap();
    assert_eq!(written(&store).len(), 150);
}

#[actix_web::test]
async fn one_turn_writes_those_who_wait_longest_and_the_turns_of_the_housekeeping_go_on_to_the_last() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    let most = usage::BATCHES_A_TURN * usage::CLIENTS_AT_A_TIME;
    // The capacity of these replicas is six hundred, and twice as many wait at the most.
    let clients = many(1250);
    for client in &clients {
        registry.put_down(client, Timestamp::from_seconds(7), used(client));
    }
    registry.flush_some().await.unwrap();
    assert_eq!(written(&store).len(), most);
    let mut longest: Vec<_> = clients[..most]
        .iter()
        .map(|client| client.secrets[0].secret_id.clone())
        .collect();
    longest.sort();
    assert_eq!(written(&store), longest);
    for client in &clients[..most] {
        registry.put_down(client, Timestamp::from_seconds(8), used(client));
    }
    registry.flush_in_turns().await.unwrap();
    assert_eq!(written(&store).len(), most + 1200, "beyond the list nothing is kept");
    registry.put_down(&clients[1249], Timestamp::from_seconds(9), used(&clients[1249]));
    registry.flush_some().await.unwrap();
    assert_eq!(
        written(&store).len(),
        most + 1201,
        "and is put on it again once there is room"
    );
}
