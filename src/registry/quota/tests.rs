//! Where blocks go whose clients are forgotten, and that nobody else's look-ups keep from drawing one.

use std::sync::mpsc;

use super::*;
use crate::domain::{Allowance, Environment, Meter, Period, Seconds, TokenCount};
use crate::registry::tests::kept;
use crate::store::MemoryStore;

const NOON: Timestamp = Timestamp::from_seconds(1_800_014_400);

/// A client of a partner that has so many tokens a day.
fn client_within(tokens_per_day: u64) -> (KnownClient, Limits) {
    let limits = Limits {
        quota_mode: QuotaMode::Enforce,
        payer: "acme".parse().unwrap(),
        partner: Allowance {
            tokens_per_day: Some(TokenCount::try_from(tokens_per_day).unwrap()),
            ..Allowance::UNBOUNDED
        },
        client: Allowance::UNBOUNDED,
    };
    (kept(Environment::Qa, &["acme"]).0.into(), limits)
}

fn table(places: usize) -> QuotaTable {
    let store = Arc::new(MemoryStore::default());
    let door = Door::new(store, places, Duration::from_millis(500), Arc::new(|_| ()));
    QuotaTable::new(door, Arc::new(Metrics::new()))
}

async fn drawn(table: &QuotaTable) -> u64 {
    let meter = Meter {
        holder: MeterHolder::Partner("acme".parse().unwrap()),
        environment: Environment::Qa,
        window: Window::of(Period::Day, NOON),
    };
    let read = table.door.read(Asker::House, move |records| records.drawn(&meter));
    read.await.unwrap()
}

/// Returns once no draw is on its way, and nobody holds what is held but the table and so many clients.
async fn at_rest(table: &QuotaTable, clients: usize) {
    let rests = |held: &Arc<Holding>| Arc::strong_count(held) == 2 + clients;
    while !table.holdings.all().iter().all(rests) {
        tokio::task::yield_now().await;
    }
}

#[actix_web::test]
async fn what_was_held_for_a_client_that_is_forgotten_goes_back_unless_it_is_read_again() {
    let table = table(4);
    let (client, limits) = client_within(100_000);
    let quotas = table.of(&client, Some(&limits));
    for _ in 0..70 {
        table.spend(&quotas, NOON).await.unwrap().keep();
    }
    at_rest(&table, 1).await;
    let held = drawn(&table).await;
    assert!(held > 70, "a block is held");
    drop(quotas);
    let again = table.of(&client, Some(&limits));
    table.give_back_idle(NOON).await.unwrap();
    assert_eq!(drawn(&table).await, held, "it was found again");
    drop(again);
    at_rest(&table, 0).await;
    table.give_back_idle(NOON).await.unwrap();
    assert_eq!(drawn(&table).await, 70);
}

#[actix_web::test]
async fn look_ups_that_hold_every_place_of_theirs_keep_nobody_from_drawing() {
    let table = table(4);
    let held: Vec<mpsc::Sender<()>> = (0..20)
        .map(|_| {
            let (end, ended) = mpsc::channel();
            table.door.begin(Asker::Caller, move |_| {
                let _ = ended.recv();
            });
            end
        })
        .collect();
    tokio::task::yield_now().await;
    let look_up = table.door.call(Asker::Caller, |_| ()).await;
    assert!(matches!(look_up, Err(StoreError::Unavailable(_))), "{look_up:?}");
    let (client, limits) = client_within(10);
    let quotas = table.of(&client, Some(&limits));
    for _ in 0..10 {
        table.spend(&quotas, NOON).await.unwrap().keep();
    }
    let spent = table.spend(&quotas, NOON).await;
    assert!(
        matches!(spent.map(drop), Err(QuotaError::Exceeded(_))),
        "ten and no more"
    );
    drop(held);
}

#[actix_web::test]
async fn the_partners_for_whom_most_was_drawn_come_first_and_no_more_than_asked_for() {
    let table = table(4);
    let mut held = Vec::new();
    for (payer, tokens) in [("acme", 1), ("globex", 9), ("initech", 0)] {
        let (client, limits) = client_within(100_000);
        let limits = Limits {
            payer: payer.parse().unwrap(),
            ..limits
        };
        let quotas = table.of(&client, Some(&limits));
        for _ in 0..tokens {
            table.spend(&quotas, NOON).await.unwrap().keep();
        }
        held.push(quotas);
    }
    // What is left is what was issued.
    table.give_back_all().await.unwrap();
    let busiest = |now, most| -> Vec<String> {
        let partners = table.busiest_partners(now, most);
        partners.iter().map(ToString::to_string).collect()
    };
    assert_eq!(busiest(NOON, 9), ["globex", "acme"]);
    assert_eq!(busiest(NOON, 1), ["globex"]);
    assert_eq!(busiest(NOON + Seconds::from_days(1), 9), [""; 0], "it is another day");
}
