//! Fills and changes in every order, against an oracle that knows what each fill had read: what was read before a change is never
//! found after it was applied.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Api, ChainHash, Client, ClientSecret, Environment, Epoch, JournalEntry, Mutation, Partner, SecretId, Timestamp,
};
use crate::registry::tests::{api, by_the_server, client, kept, partner, read};

/// Whose clients they are, and where. The last is a resource server.
const CAST: [(&str, Environment, &[&str]); 4] = [
    ("qa-acme-1", Environment::Qa, &["acme"]),
    ("qa-north-1", Environment::Qa, &["acme-north", "acme"]),
    ("live-globex-1", Environment::Production, &["globex"]),
    ("qa-orders-1", Environment::Qa, &[]),
];

/// What can change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    Client(usize),
    Secret(usize),
    Partner(&'static str),
    Api(Environment),
}

/// Everything the client at this place of the cast depends on, in the order in which it is read.
fn parts(of: usize) -> Vec<Thing> {
    let (_, environment, partners) = CAST[of];
    let above = partners.iter().map(|partner_id| Thing::Partner(partner_id));
    let mut parts = vec![Thing::Client(of), Thing::Secret(of)];
    parts.extend(above);
    parts.push(Thing::Api(environment));
    parts
}

fn row(mutation: &Mutation) -> JournalEntry {
    mutation.entry(Epoch::new(1), &by_the_server(), ChainHash::GENESIS)
}

fn client_of(cast: usize) -> Client {
    let (client_id, environment, partners) = CAST[cast];
    let (client, _) = kept(environment, partners);
    Client {
        client_id: client_id.parse().unwrap(),
        ..client
    }
}

/// The client at this place of the cast, as it is read.
fn found(cast: usize) -> RegisteredClient {
    let client = client_of(cast);
    let secrets = vec![secret_of(&client.client_id)];
    read((client, secrets), CAST[cast].2)
}

fn secret_of(client_id: &ClientId) -> ClientSecret {
    ClientSecret {
        client_id: client_id.clone(),
        ..client().1
    }
}

/// The row of a change, number `epoch`. Secrets end or are added in turn, and the row of each third cannot be read.
fn row_of(thing: Thing, epoch: u64) -> JournalEntry {
    match thing {
        Thing::Client(cast) => row(&Mutation::ClientChanged(client_of(cast))),
        Thing::Secret(cast) => {
            let client = client_of(cast);
            let (partner_id, environment) = (client.partner_id().cloned(), client.environment);
            let secret = secret_of(&client.client_id);
            let entry = if epoch.is_multiple_of(2) {
                row(&Mutation::SecretRetired {
                    secret,
                    partner_id,
                    environment,
                })
            } else {
                row(&Mutation::SecretAdded {
                    secret,
                    retiring: Vec::new(),
                    partner_id,
                    environment,
                })
            };
            let detail = if epoch.is_multiple_of(3) {
                "{}".to_owned()
            } else {
                entry.detail
            };
            JournalEntry { detail, ..entry }
        }
        Thing::Partner(partner_id) => row(&Mutation::PartnerChanged(Partner {
            partner_id: partner_id.parse().unwrap(),
            ..partner()
        })),
        Thing::Api(environment) => row(&Mutation::ApiChanged(Api { environment, ..api() })),
    }
}

/// By the number of its last change, what a fill read of each thing.
type Reading = HashMap<Thing, u64>;

struct Fill {
    began: Moment,
    reading: Reading,
    /// Whether nothing at all was applied since it began.
    undisturbed: bool,
}

/// One step of the store, of a replica that applies its journal, or of a fill.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A fill of this client begins, reads one thing more, or, once it has read all, ends.
    Fill(usize),
    Commit(Thing),
    /// One of the rows committed so far is applied. Replicas apply their own rows out of turn, and some twice.
    Apply(usize),
    /// All is forgotten, since any change may have been made.
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let thing = prop_oneof![
        (0..CAST.len()).prop_map(Thing::Client),
        (0..CAST.len()).prop_map(Thing::Secret),
        prop::sample::select(vec!["acme", "acme-north", "globex"]).prop_map(Thing::Partner),
        prop::sample::select(&Environment::ALL[..]).prop_map(Thing::Api),
    ];
    prop_oneof![
        24 => (0..CAST.len()).prop_map(Step::Fill),
        4 => thing.prop_map(Step::Commit),
        4 => (0_usize..4).prop_map(Step::Apply),
        1 => Just(Step::Clear),
    ]
}

struct World {
    cache: ClientCache,
    committed: Vec<Thing>,
    /// Of each thing the number of its last change that was applied.
    applied: Reading,
    fills: [Option<Fill>; CAST.len()],
    /// Every client that was made of a reading. None is dropped, so no two share an address.
    made: Vec<(Arc<RegisteredClient>, Reading)>,
}

impl World {
    fn new() -> Self {
        Self {
            cache: ClientCache::new(100),
            committed: [0, 1, 3].map(Thing::Client).into(),
            applied: Reading::new(),
            fills: Default::default(),
            made: Vec::new(),
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Fill(cast) => self.fill(cast),
            Step::Commit(thing) => self.committed.push(thing),
            Step::Apply(back) => {
                let Some(at) = self.committed.len().checked_sub(1 + back) else {
                    return;
                };
                let (thing, epoch) = (self.committed[at], at as u64 + 1);
                self.cache.apply(&row_of(thing, epoch));
                let last = self.applied.entry(thing).or_default();
                *last = epoch.max(*last);
                self.disturb();
            }
            Step::Clear => {
                self.cache.clear();
                self.applied
                    .extend((1..).zip(&self.committed).map(|(epoch, thing)| (*thing, epoch)));
                self.disturb();
            }
        }
    }

    fn disturb(&mut self) {
        for fill in self.fills.iter_mut().flatten() {
            fill.undisturbed = false;
        }
    }

    fn fill(&mut self, cast: usize) {
        let Some(fill) = &mut self.fills[cast] else {
            self.fills[cast] = Some(Fill {
                began: self.cache.begin_fill(),
                reading: Reading::new(),
                undisturbed: true,
            });
            return;
        };
        let unread = parts(cast).into_iter().find(|part| !fill.reading.contains_key(part));
        if let Some(part) = unread {
            let last = self.committed.iter().rposition(|thing| *thing == part);
            fill.reading.insert(part, last.map_or(0, |at| at as u64 + 1));
            return;
        }
        let Some(Fill {
            began,
            mut reading,
            undisturbed,
        }) = self.fills[cast].take()
        else {
            return;
        };
        let (client_id, ..) = CAST[cast];
        let is_registered = reading[&Thing::Client(cast)] > 0;
        let found = is_registered.then(|| Arc::new(found(cast)));
        if found.is_none() {
            // That an id is nobody's depends on nothing else.
            reading.retain(|thing, _| *thing == Thing::Client(cast));
        }
        let kept = self.cache.end_fill(began, &client_id.parse().unwrap(), found.as_ref());
        if kept {
            self.judge(&reading);
        }
        assert!(kept || !undisturbed, "nothing was applied meanwhile");
        self.made.extend(found.map(|found| (found, reading)));
    }

    /// Nothing older than what was applied.
    fn judge(&self, reading: &Reading) {
        for (thing, read) in reading {
            let applied = self.applied.get(thing).copied().unwrap_or_default();
            assert!(*read >= applied, "{thing:?} of {read}, after {applied} was applied");
        }
    }

    fn judge_all(&self) {
        for (cast, (client_id, ..)) in CAST.iter().enumerate() {
            match self.cache.get(&client_id.parse().unwrap()) {
                Remembered::Known(client) => {
                    let (_, reading) = self.made.iter().find(|(made, _)| Arc::ptr_eq(made, &client)).unwrap();
                    self.judge(reading);
                }
                Remembered::Stranger => assert_eq!(self.applied.get(&Thing::Client(cast)), None),
                Remembered::Forgotten => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_read_before_a_change_is_found_after_it(steps in prop::collection::vec(step(), 50..200)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.judge_all();
        }
    }
}

/// How often a thing is changed beside threads that read it.
const CHANGES: u64 = 5_000;

#[test]
fn beside_changes_on_other_threads_no_older_reading_is_ever_found() {
    let client_id: ClientId = CAST[1].0.parse().unwrap();
    let rows = [
        Thing::Client(1),
        Thing::Partner("acme"),
        Thing::Secret(1),
        Thing::Api(Environment::Qa),
        Thing::Partner("acme-north"),
    ]
    .map(|thing| row_of(thing, 1));
    let cache = ClientCache::new(100);
    let (committed, applied) = (AtomicU64::new(0), AtomicU64::new(0));
    let found_after = |applied: u64| {
        if let Remembered::Known(client) = cache.get(&client_id) {
            let read = client.client.expires_at.unwrap();
            assert!(read.seconds().cast_unsigned() >= applied);
        }
    };
    let fill = || {
        while applied.load(Ordering::SeqCst) < CHANGES {
            found_after(applied.load(Ordering::SeqCst));
            let began = cache.begin_fill();
            let read = committed.load(Ordering::SeqCst);
            let mut client = found(1);
            // What was read is told by a member that is remembered.
            client.client.expires_at = Some(Timestamp::from_seconds(read.cast_signed()));
            thread::yield_now();
            cache.end_fill(began, &client_id, Some(&Arc::new(client)));
            found_after(applied.load(Ordering::SeqCst));
        }
    };
    thread::scope(|scope| {
        let fillers = [scope.spawn(fill), scope.spawn(fill)];
        for (change, row) in (1..=CHANGES).zip(rows.iter().cycle()) {
            committed.store(change, Ordering::SeqCst);
            cache.apply(row);
            applied.store(change, Ordering::SeqCst);
            found_after(change);
            thread::yield_now();
        }
        for filler in fillers {
            filler.join().unwrap();
        }
    });
}

/// A cache with room for this many clients of `acme`, and all of them filled in.
fn filled(many: usize) -> (ClientCache, Vec<ClientId>) {
    let cache = ClientCache::new(many);
    let ids: Vec<ClientId> = (0..many).map(|at| format!("qa-acme-{at}").parse().unwrap()).collect();
    let (client, _) = kept(Environment::Qa, &["acme"]);
    for client_id in &ids {
        let client = Client {
            client_id: client_id.clone(),
            ..client.clone()
        };
        let one = Arc::new(read((client, Vec::new()), &["acme"]));
        assert!(cache.end_fill(cache.begin_fill(), client_id, Some(&one)));
    }
    (cache, ids)
}

fn known(cache: &ClientCache, ids: &[ClientId]) -> usize {
    let known = |id: &&ClientId| matches!(cache.get(id), Remembered::Known(_));
    ids.iter().filter(known).count()
}

#[test]
fn as_many_clients_as_there_is_room_for_are_all_remembered() {
    for many in [100, 1_000, 30_000] {
        let (cache, ids) = filled(many);
        assert_eq!(known(&cache, &ids), many);
    }
}

#[test]
fn a_change_takes_no_walk_through_those_remembered() {
    const MANY: usize = 100_000;
    const CHANGED: usize = 1_000;
    let (cache, ids) = filled(MANY);
    let (client, _) = kept(Environment::Qa, &["acme"]);
    for client_id in &ids[..CHANGED] {
        cache.apply(&row(&Mutation::SecretAdded {
            secret: ClientSecret {
                secret_id: SecretId::mint(&crate::ambient::SystemEntropy::new()),
                ..secret_of(client_id)
            },
            retiring: Vec::new(),
            partner_id: client.partner_id().cloned(),
            environment: Environment::Qa,
        }));
    }
    assert_eq!(
        (known(&cache, &ids), cache.known.len()),
        (MANY - CHANGED, MANY - CHANGED)
    );
    // None is touched when a partner above all of them changes, and none is found any more.
    cache.apply(&row_of(Thing::Partner("globex"), 1));
    assert_eq!(known(&cache, &ids), MANY - CHANGED);
    cache.apply(&row_of(Thing::Partner("acme"), 1));
    assert_eq!((known(&cache, &ids), cache.known.len()), (0, MANY - CHANGED));
}
