//! A store that does not answer says so in time, and answers again when it can.

use std::time::{Duration, Instant};

use mintmark::domain::{Epoch, Mutation};
use mintmark::store::{self, CommitError, Known, Store, StoreError, StoreSettings};

use super::Aside;
use crate::store::places::{Ground, postgresql_ground, sqlite_ground};
use crate::store::samples::{acme, commit, partner, read, try_read};

/// A store that waits 300 milliseconds for anything. It is made patiently.
fn impatient(ground: &Ground, pool_size: u32) -> std::sync::Arc<dyn Store> {
    store::migrate(&ground.settings().url, ground.settings().timeout).unwrap();
    store::open(&StoreSettings {
        pool_size,
        timeout: Duration::from_millis(300),
        ..ground.settings()
    })
    .unwrap()
}

#[test]
fn a_lock_held_by_another_ends_the_wait_and_not_the_reading() {
    for (ground, hold) in [
        (sqlite_ground(), "BEGIN IMMEDIATE"),
        (postgresql_ground(), "BEGIN; UPDATE epoch SET number = number"),
    ] {
        let store = impatient(&ground, 2);
        acme(&*store);
        let mut aside = Aside::open(&ground.url);
        aside.execute(hold);
        let began = Instant::now();
        let waited = commit(&*store, Mutation::PartnerRegistered(partner("next")));
        assert!(
            matches!(waited, Err(CommitError::Store(StoreError::Unavailable(_)))),
            "{waited:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(10));
        assert_eq!(read(&*store, |records| records.epoch()), Epoch::new(2));
        aside.execute("ROLLBACK");
        let next = commit(&*store, Mutation::PartnerRegistered(partner("next"))).unwrap();
        assert_eq!(next.epoch, Epoch::new(3));
    }
}

#[test]
fn a_pool_that_is_all_in_use_is_unavailable() {
    for ground in [sqlite_ground(), postgresql_ground()] {
        let store = impatient(&ground, 1);
        let mut second = None;
        store
            .read(&mut |_| {
                second = Some(try_read(&*store, |records| records.epoch()));
                Ok(())
            })
            .unwrap();
        assert!(matches!(second, Some(Err(StoreError::Unavailable(_)))), "{second:?}");
        assert_eq!(read(&*store, |records| records.epoch()), Epoch::ZERO);
    }
}

#[test]
fn a_commit_keeps_its_promises_whatever_the_server_is_set_to() {
    // The tests' own cluster is set to `serializable`, to acknowledge early and to wait for ever.
    let ground = postgresql_ground();
    let store = store::open(&ground.settings()).unwrap();
    let mut aside = Aside::open(&ground.url);
    aside.execute(
        "CREATE TABLE seen (setting TEXT, value TEXT);
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN ('synchronous_commit',
                 'transaction_isolation', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout');
             RETURN NEW;
         END $$;
         CREATE TRIGGER look AFTER INSERT ON journal FOR EACH ROW EXECUTE FUNCTION look();",
    );
    commit(&*store, Mutation::PartnerRegistered(partner("acme"))).unwrap();
    let milliseconds = ground.settings().timeout.as_millis();
    assert_eq!(
        aside.lines("SELECT setting || ' ' || value AS line FROM seen ORDER BY setting"),
        [
            format!("idle_in_transaction_session_timeout {milliseconds}"),
            format!("lock_timeout {milliseconds}"),
            format!("statement_timeout {milliseconds}"),
            "synchronous_commit on".to_owned(),
            "transaction_isolation read committed".to_owned(),
        ]
    );
}

#[test]
fn connections_that_the_server_cut_are_replaced() {
    let ground = postgresql_ground();
    let name = ground.url.rsplit_once("%3D").unwrap().1.to_owned();
    let named = StoreSettings {
        url: format!("{}&application_name={name}", ground.url).parse().unwrap(),
        ..ground.settings()
    };
    let store = store::open(&named).unwrap();
    let mut follower = store.follower().unwrap();
    acme(&*store);
    let rows = follower.after(Known::NOTHING, 9).unwrap();
    assert_eq!(rows.len(), 2);
    let known = Known::from(&rows[1]);
    let cut = Aside::open(&ground.url).lines(&format!(
        "SELECT pg_terminate_backend(pid)::text AS line FROM pg_stat_activity WHERE application_name = '{name}'"
    ));
    assert!(cut.len() >= 2, "the pool's and the follower's: {cut:?}");
    let lost = follower.after(known, 9);
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    let next = commit(&*store, Mutation::PartnerRegistered(partner("next"))).unwrap();
    assert_eq!(store.follower().unwrap().after(known, 9).unwrap(), [next]);
}
