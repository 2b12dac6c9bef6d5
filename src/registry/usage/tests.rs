//! Counting: what is put down is written once, whatever fails on the way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::thread;

use proptest::prelude::*;

use super::tally::MOST_SCOPES;
use super::*;
use crate::ambient::SystemEntropy;
use crate::domain::{ClientSecret, Environment, Granularity, Outcome, SecretId, TokenRefusal};
use crate::registry::tests::{kept, read};
use crate::store::{MemoryStore, Page, Store, UsageFilter, UsageGroup, UsageRow};

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400);

fn client() -> Arc<RegisteredClient> {
    let (client, secret) = kept(Environment::Qa, &["acme"]);
    let another = ClientSecret {
        secret_id: SecretId::mint(&SystemEntropy::new()),
        ..secret.clone()
    };
    let secrets = vec![secret, another];
    Arc::new(read((client, secrets), &["acme"]))
}

fn usage() -> Usage {
    Usage::new(UsageWriter::mint(&SystemEntropy::new()), 1000)
}

fn issued<'a>(client: &'a RegisteredClient, scope: &'a str) -> Happening<'a> {
    Happening::Issued {
        scope,
        secret_id: &client.secrets[0].secret_id,
        source: HERE,
    }
}

/// All that is in the store, hour by hour and scope by scope.
fn in_store(store: &MemoryStore) -> Vec<UsageRow> {
    let filter = UsageFilter {
        granularity: Granularity::Hour,
        group: UsageGroup::Scope,
        from: Timestamp::from_seconds(0),
        until: Timestamp::from_seconds(i64::MAX),
        environment: None,
        partner_id: None,
        client_id: None,
    };
    let mut rows = Vec::new();
    store
        .read(&mut |records| {
            rows = records.usage(&filter, &Page::first(u16::MAX))?;
            Ok(())
        })
        .unwrap();
    rows
}

/// Writes the next batch; whether there was one.
fn land(usage: &Usage, store: &MemoryStore) -> bool {
    let next = usage.next();
    if let Some(batch) = &next {
        store.record_usage(batch).unwrap();
        usage.landed(batch);
    }
    next.is_some()
}

/// Writes all there is.
fn write(usage: &Usage, store: &MemoryStore) {
    while land(usage, store) {}
}

/// What can happen to the counts of two clients.
#[derive(Clone, Copy, Debug)]
enum Step {
    Issued {
        client: usize,
        scope: usize,
        hour: u32,
    },
    Refused {
        client: usize,
        refusal: usize,
        hour: u32,
    },
    /// The batch is added.
    Lands,
    /// It is added, and nobody learns of it.
    LandsUnheard,
    /// It is lost.
    IsLost,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2usize, 0..3usize, 0..3u32).prop_map(|(client, scope, hour)| Step::Issued { client, scope, hour }),
        3 => (0..2usize, 0..TokenRefusal::ALL.len(), 0..3u32)
            .prop_map(|(client, refusal, hour)| Step::Refused { client, refusal, hour }),
        1 => Just(Step::Lands),
        1 => Just(Step::LandsUnheard),
        1 => Just(Step::IsLost),
    ]
}

proptest! {
    #[test]
    fn every_request_is_counted_once_whatever_fails(steps in prop::collection::vec(step(), 0..80)) {
        const SCOPES: [&str; 3] = ["read", "read write", "write"];
        let (usage, store, clients) = (usage(), MemoryStore::default(), [client(), client()]);
        let mut expected: BTreeMap<_, u64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Issued { client, scope, hour } => {
                    let at = Timestamp::from_seconds(NOON.seconds() + i64::from(hour) * 3600 + 59);
                    usage.put(&clients[client], at, issued(&clients[client], SCOPES[scope]));
                    let key = (hour, clients[client].client.client_id.clone(), SCOPES[scope], Outcome::Issued);
                    *expected.entry(key).or_default() += 1;
                }
                Step::Refused { client, refusal, hour } => {
                    let at = Timestamp::from_seconds(NOON.seconds() + i64::from(hour) * 3600);
                    let refusal = TokenRefusal::ALL[refusal];
                    usage.put(&clients[client], at, Happening::Refused(refusal));
                    let key = (hour, clients[client].client.client_id.clone(), "", Outcome::Refused(refusal));
                    *expected.entry(key).or_default() += 1;
                }
                Step::Lands => _ = land(&usage, &store),
                Step::LandsUnheard => {
                    if let Some(batch) = usage.next() {
                        store.record_usage(&batch).unwrap();
                    }
                }
                Step::IsLost => drop(usage.next()),
            }
        }
        write(&usage, &store);
        let mut found: BTreeMap<_, u64> = BTreeMap::new();
        for row in in_store(&store) {
            let hour = u32::try_from((row.place.begins.seconds() - NOON.seconds()) / 3600).unwrap();
            let client_id = row.place.client_id.unwrap();
            let scope = row.place.scope.map(|scope| scope.as_str().to_owned()).unwrap_or_default();
            let scope = SCOPES.into_iter().find(|known| *known == scope).unwrap_or("");
            let refused = TokenRefusal::ALL.map(|refusal| (Outcome::Refused(refusal), row.refused[refusal as usize]));
            for (outcome, requests) in [(Outcome::Issued, row.issued)].into_iter().chain(refused) {
                if requests > 0 {
                    *found.entry((hour, client_id.clone(), scope, outcome)).or_default() += requests;
                }
            }
        }
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn many_threads_counting_while_others_write_lose_nothing() {
    let (usage, store, client) = (usage(), MemoryStore::default(), client());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10_000 {
                    usage.put(&client, NOON, issued(&client, "read"));
                }
            });
        }
        for _ in 0..200 {
            write(&usage, &store);
        }
    });
    write(&usage, &store);
    assert_eq!(
        in_store(&store).iter().map(|row| row.issued).collect::<Vec<_>>(),
        [40_000]
    );
}

#[test]
fn what_was_counted_of_a_client_that_is_forgotten_is_written_all_the_same() {
    let (usage, store) = (usage(), MemoryStore::default());
    let client_id = {
        let client = client();
        usage.put(&client, NOON, issued(&client, "read"));
        client.client.client_id.clone()
    };
    write(&usage, &store);
    let rows = in_store(&store);
    assert_eq!(
        (rows[0].place.client_id.as_ref(), rows[0].issued),
        (Some(&client_id), 1)
    );
}

#[test]
fn a_client_cannot_fill_the_store_with_sets_of_scopes() {
    let (usage, store, client) = (usage(), MemoryStore::default(), client());
    for number in 0..100 {
        for _ in 0..2 {
            usage.put(&client, NOON, issued(&client, &format!("scope-{number:03}")));
            // Written in between: a line that has been written still holds its place.
            write(&usage, &store);
        }
    }
    let rows = in_store(&store);
    assert_eq!(rows.len(), MOST_SCOPES + 1);
    let others = rows
        .iter()
        .find(|row| row.place.scope.as_ref().unwrap().as_str() == "\"other\"");
    assert_eq!(others.unwrap().issued, 2 * (100 - MOST_SCOPES as u64));
    assert_eq!(rows.iter().map(|row| row.issued).sum::<u64>(), 200);
    // The next hour begins anew.
    let later = NOON + crate::domain::Seconds(3600);
    usage.put(&client, later, issued(&client, "scope-099"));
    write(&usage, &store);
    assert_eq!(
        in_store(&store).last().unwrap().place.scope.as_ref().unwrap().as_str(),
        "scope-099"
    );
}

#[test]
fn the_last_use_of_each_secret_is_written_with_its_source_and_never_an_earlier_one() {
    let (usage, client) = (usage(), client());
    let (first, second) = (&client.secrets[0].secret_id, &client.secrets[1].secret_id);
    let there: IpAddr = "2001:db8::7".parse().unwrap();
    let late = NOON + crate::domain::Seconds(5);
    let used = |secret_id, source| Happening::Used { secret_id, source };
    usage.put(&client, late, used(first, there));
    usage.put(&client, NOON, used(first, HERE));
    usage.put(&client, NOON, used(second, HERE));
    let batch = usage.next().unwrap();
    let written: Vec<_> = batch
        .uses
        .iter()
        .map(|used| (&used.secret_id, used.at, used.source))
        .collect();
    assert_eq!(written, [(first, late, there), (second, NOON, HERE)]);
    assert!(batch.counts.is_empty(), "a use is no request for a token");
}
