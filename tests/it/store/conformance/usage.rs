//! Usage: batches are added once, sums are exact, what is old is forgotten.

use std::thread;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    CountedScope, Environment, Granularity, Outcome, Seconds, SecretUse, Timestamp, TokenRefusal, UsageBatch,
    UsageCount, UsageWriter,
};
use mintmark::store::{MemoryStore, Page, Store, UsageFilter, UsageGroup, UsagePlace, UsageRow};

use crate::store::samples::read;

/// 2027-01-31T22:00:00Z: two hours later another day, and another month, begins.
const EVENING: Timestamp = Timestamp::from_seconds(1_801_432_800);

/// The first batch of a writer of its own.
pub fn batch(counts: Vec<UsageCount>, uses: Vec<SecretUse>) -> UsageBatch {
    UsageBatch {
        writer: UsageWriter::mint(&SystemEntropy::new()),
        sequence: 1,
        at: EVENING,
        counts,
        uses,
    }
}

fn issued(client_id: &str, requests: u64) -> UsageCount {
    UsageCount {
        hour: EVENING,
        environment: Environment::Qa,
        partner_id: Some("acme".parse().unwrap()),
        client_id: client_id.parse().unwrap(),
        scope: Some(CountedScope::of("read")),
        outcome: Outcome::Issued,
        requests,
    }
}

fn everything(granularity: Granularity, group: UsageGroup) -> UsageFilter {
    UsageFilter {
        granularity,
        group,
        from: Timestamp::from_seconds(0),
        until: Timestamp::from_seconds(i64::MAX),
        environment: None,
        partner_id: None,
        client_id: None,
    }
}

fn rows(store: &dyn Store, filter: &UsageFilter) -> Vec<UsageRow> {
    read(store, |records| records.usage(filter, &Page::first(u16::MAX)))
}

fn issued_in_all(store: &dyn Store) -> u64 {
    let rows = rows(store, &everything(Granularity::Day, UsageGroup::Environment));
    rows.iter().map(|row| row.issued).sum()
}

pub fn a_batch_is_added_once(store: &dyn Store) {
    let first = batch(vec![issued("qa-shop", 3), issued("qa-shop", 4)], Vec::new());
    for _ in 0..3 {
        store.record_usage(&first).unwrap();
    }
    assert_eq!(
        issued_in_all(store),
        7,
        "a row named twice counts twice, a batch sent again does not"
    );
    let second = UsageBatch {
        sequence: 2,
        counts: vec![issued("qa-shop", 10)],
        ..first.clone()
    };
    store.record_usage(&second).unwrap();
    store.record_usage(&first).unwrap();
    store.record_usage(&second).unwrap();
    assert_eq!(issued_in_all(store), 17);
    store
        .record_usage(&batch(vec![issued("qa-shop", 100)], Vec::new()))
        .unwrap();
    assert_eq!(issued_in_all(store), 117, "another writer has numbers of its own");
}

pub fn writers_that_count_in_the_same_rows_lose_nothing(store: &dyn Store) {
    let clients = ["qa-a", "qa-b", "qa-c", "qa-d"];
    thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || {
                let mut batch = batch(Vec::new(), Vec::new());
                for sequence in 1..=25 {
                    batch.sequence = sequence;
                    batch.counts = clients.map(|client_id| issued(client_id, 1)).to_vec();
                    // Each in an order of its own, and in a new row now and then.
                    batch.counts.rotate_left(writer);
                    let hours = u32::try_from(sequence / 5).unwrap();
                    let later = |count: &mut UsageCount| count.hour = count.hour + Seconds(3600 * hours);
                    batch.counts.iter_mut().for_each(later);
                    store.record_usage(&batch).unwrap();
                    store.record_usage(&batch).unwrap();
                }
            });
        }
    });
    assert_eq!(issued_in_all(store), 4 * 25 * 4);
    let by_hour = rows(store, &everything(Granularity::Hour, UsageGroup::Client));
    let counted: Vec<u64> = by_hour.iter().map(|row| row.issued).collect();
    // Sequences 1 to 4, then five by five, then the 25th alone; four writers each.
    let expected = [16, 20, 20, 20, 20, 4].map(|each| [each; 4]).concat();
    assert_eq!(counted, expected);
}

/// Three hours around the end of a month, two environments, two partners and an API, and everything that can become of a request.
fn a_bit_of_everything() -> Vec<UsageCount> {
    let mut counts = Vec::new();
    let who = [
        (Environment::Qa, Some("acme"), "qa-acme-1"),
        (Environment::Qa, Some("acme"), "qa-acme-2"),
        (Environment::Qa, Some("acme-north"), "qa-north-1"),
        (Environment::Qa, None, "qa-orders-1"),
        (Environment::Production, Some("acme"), "live-acme-1"),
        (Environment::Production, Some("globex"), "live-globex-1"),
    ];
    let refused = TokenRefusal::ALL.map(|refusal| (Outcome::Refused(refusal), None));
    let issued = ["read", "read write", "!", "\"other\""].map(|scope| (Outcome::Issued, scope.parse().ok()));
    for hour in [0, 1, 2, 30] {
        for (environment, partner_id, client_id) in who {
            for (number, (outcome, scope)) in refused.iter().chain(&issued).enumerate() {
                if !(number + hour as usize).is_multiple_of(3) {
                    counts.push(UsageCount {
                        hour: EVENING + Seconds(3600 * hour),
                        environment,
                        partner_id: partner_id.map(|partner_id| partner_id.parse().unwrap()),
                        client_id: client_id.parse().unwrap(),
                        scope: scope.clone(),
                        outcome: *outcome,
                        requests: counts.len() as u64 + 1,
                    });
                }
            }
        }
    }
    counts
}

pub fn it_is_summed_and_paged_as_in_memory(store: &dyn Store) {
    let oracle = MemoryStore::default();
    for piece in a_bit_of_everything().chunks(7) {
        let batch = batch(piece.to_vec(), Vec::new());
        store.record_usage(&batch).unwrap();
        oracle.record_usage(&batch).unwrap();
    }
    let everyone = |granularity, group| {
        let all = everything(granularity, group);
        let acme = Some("acme".parse().unwrap());
        [
            all.clone(),
            UsageFilter {
                environment: Some(Environment::Production),
                ..all.clone()
            },
            UsageFilter {
                partner_id: acme.clone(),
                ..all.clone()
            },
            UsageFilter {
                client_id: Some("qa-acme-2".parse().unwrap()),
                partner_id: acme.clone(),
                ..all.clone()
            },
            UsageFilter {
                client_id: Some("qa-orders-1".parse().unwrap()),
                ..all.clone()
            },
            UsageFilter {
                environment: Some(Environment::Qa),
                partner_id: acme,
                from: EVENING,
                ..all.clone()
            },
            UsageFilter {
                from: EVENING + Seconds(3600),
                until: EVENING + Seconds(7200),
                ..all.clone()
            },
            UsageFilter { until: all.from, ..all },
        ]
    };
    let mut seen = 0;
    for granularity in Granularity::ALL {
        for group in UsageGroup::ALL {
            for filter in everyone(granularity, group) {
                let expected = rows(&oracle, &filter);
                assert_eq!(rows(store, &filter), expected, "{filter:?}");
                assert_eq!(page_by_page(store, &filter, 3), expected, "{filter:?}");
                seen += expected.len();
            }
        }
    }
    assert!(seen > 500, "{seen}");
    // And by arithmetic: the sum of the numbers from 1 on is what was counted, however it is broken down.
    let counts = a_bit_of_everything().len() as u64;
    for granularity in Granularity::ALL {
        for group in UsageGroup::ALL {
            let rows = rows(store, &everything(granularity, group));
            let sum: u64 = rows.iter().map(|row| row.issued + row.refused_in_all()).sum();
            assert_eq!(sum, counts * (counts + 1) / 2);
        }
    }
    let months = rows(store, &everything(Granularity::Month, UsageGroup::Environment));
    let begins: Vec<_> = months.iter().map(|row| row.place.begins.to_string()).collect();
    let (january, february) = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z");
    assert_eq!(begins, [january, january, february, february]);
}

fn page_by_page(store: &dyn Store, filter: &UsageFilter, limit: u16) -> Vec<UsageRow> {
    let mut seen: Vec<UsageRow> = Vec::new();
    loop {
        let page = Page::<UsagePlace> {
            after: seen.last().map(|row| row.place.clone()),
            limit,
        };
        let rows = read(store, |records| records.usage(filter, &page));
        assert!(rows.len() <= usize::from(limit));
        if rows.is_empty() {
            return seen;
        }
        seen.extend(rows);
    }
}

pub fn what_is_old_is_forgotten_and_no_more(store: &dyn Store) {
    let mut counts = Vec::new();
    for hour in 0..4 {
        for client in 0..3 {
            let mut count = issued(&format!("qa-{client}"), 1);
            count.hour = EVENING + Seconds(3600 * hour);
            counts.push(count);
        }
    }
    let batch = batch(counts, Vec::new());
    store.record_usage(&batch).unwrap();
    let left = |group| Granularity::ALL.map(|granularity| rows(store, &everything(granularity, group)).len());
    // At half past midnight of the first of February: two hours, a day and a month are over.
    let before = EVENING + Seconds(2 * 3600 + 1800);
    while store.forget_usage(before).unwrap() > 0 {}
    assert_eq!(left(UsageGroup::Scope), [6, 3, 3]);
    assert_eq!(left(UsageGroup::Client), [6, 3, 3]);
    assert_eq!(left(UsageGroup::Partner), [2, 1, 1]);
    assert_eq!(left(UsageGroup::Environment), [2, 1, 1]);
    let begins = |granularity| {
        rows(store, &everything(granularity, UsageGroup::Environment))[0]
            .place
            .begins
    };
    assert_eq!(begins(Granularity::Hour), EVENING + Seconds(2 * 3600));
    assert_eq!(begins(Granularity::Month).to_string(), "2027-02-01T00:00:00Z");
    store.record_usage(&batch).unwrap();
    assert_eq!(
        left(UsageGroup::Scope),
        [12, 6, 6],
        "the writer is forgotten too, silent since"
    );
}
