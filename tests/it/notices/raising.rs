//! What is noticed, when, and how often.

use std::sync::{Arc, Barrier};
use std::thread;

use mintmark::domain::{
    Client, ClientSecret, Delivery, Mutation, NoticeKind, NoticeSubject, Seconds, SecretStatus, Timestamp,
};
use mintmark::store::{self, NoticeFilter, Page, Sharing, Store, commit_in_bulk};

use super::replica::{HeldClock, Replica, all, said, with_secret};
use crate::store::places::{self, Fresh, on_every_fresh_store};
use crate::store::samples::{NOW, acme, attribution, client, commit, read, secret};
use crate::support::faulty::FaultyStore;

const DAY: Seconds = Seconds::from_days(1);

fn in_days(days: u32) -> Timestamp {
    NOW + Seconds::from_days(days)
}

/// A replica over memory that sends nothing.
fn alone() -> (Arc<dyn Store>, HeldClock, Replica) {
    let (store, clock) = (places::memory().store, HeldClock::new());
    let replica = Replica::new(&store, &clock, None);
    (store, clock, replica)
}

/// Gives a client another end.
fn move_end(store: &dyn Store, client: &Client, expires_at: Timestamp) {
    let found = read(store, |records| records.client(&client.client_id)).unwrap();
    let expires_at = Some(expires_at);
    commit(store, Mutation::ClientChanged(Client { expires_at, ..found })).unwrap();
}

#[test]
fn each_threshold_is_noticed_once_in_its_time() {
    let (store, clock, replica) = alone();
    let (client, secret) = with_secret(&*store, in_days(35));
    move_end(&*store, &client, in_days(33));
    for _ in 0..40 {
        replica.raise();
        assert_eq!(replica.raise(), 0, "twice in one moment");
        clock.pass(DAY);
    }
    // On day 5 there are 30 days left to day 35. With the client on day 33 its secret ends too, and what has ended has no notice;
    // by then all four were said.
    assert_eq!(said(&*store, NoticeKind::SecretExpiring), [(30, 5), (14, 21), (7, 28)]);
    assert_eq!(
        said(&*store, NoticeKind::ClientExpiring),
        [(30, 3), (14, 19), (7, 26), (1, 32)]
    );
    for kept in all(&*store) {
        let (notice, of_secret) = (&kept.notice, kept.notice.subject.secret_id());
        assert_eq!(
            (&notice.client_id, notice.partner_id.as_ref()),
            (&client.client_id, client.partner_id())
        );
        assert_eq!(notice.environment, client.environment);
        assert_eq!(kept.delivery, Delivery::None);
        match of_secret {
            Some(secret_id) => assert_eq!((secret_id, notice.expires_at), (&secret.secret_id, in_days(35))),
            None => assert_eq!(notice.expires_at, in_days(33)),
        }
    }
}

#[test]
fn of_thresholds_passed_unseen_the_nearest_is_noticed() {
    let (store, clock, replica) = alone();
    with_secret(&*store, in_days(40));
    assert_eq!(replica.raise(), 0);
    clock.pass(Seconds::from_days(35));
    assert_eq!(replica.raise(), 1);
    clock.pass(DAY);
    clock.pass(DAY);
    assert_eq!(replica.raise(), 0);
    clock.pass(Seconds::from_days(2));
    replica.raise();
    assert_eq!(said(&*store, NoticeKind::SecretExpiring), [(7, 35), (1, 39)]);
}

#[test]
fn what_is_made_for_a_short_time_is_noticed_at_once() {
    let (store, clock, replica) = alone();
    with_secret(&*store, in_days(5));
    for _ in 0..6 {
        replica.raise();
        clock.pass(DAY);
    }
    assert_eq!(said(&*store, NoticeKind::SecretExpiring), [(7, 0), (1, 4)]);
}

#[test]
fn an_end_that_is_moved_is_noticed_anew_and_one_moved_back_is_not() {
    let (store, clock, replica) = alone();
    let (client, _) = with_secret(&*store, in_days(99));
    for (end, raised) in [(6, 1), (6, 0), (5, 1), (60, 0), (6, 0), (13, 1)] {
        move_end(&*store, &client, in_days(end));
        assert_eq!(replica.raise(), raised, "{end}");
        // Notices of one moment have no order among each other.
        clock.pass(Seconds(1));
    }
    assert_eq!(said(&*store, NoticeKind::ClientExpiring), [(7, 0), (7, 0), (14, 0)]);
}

#[test]
fn a_clock_that_is_set_back_raises_nothing_twice() {
    let (store, clock, replica) = alone();
    with_secret(&*store, in_days(10));
    assert_eq!(replica.raise(), 1);
    clock.pass(Seconds::from_days(4));
    assert_eq!(replica.raise(), 1);
    clock.set(NOW);
    assert_eq!(replica.raise(), 0);
}

#[test]
fn only_what_works_is_noticed() {
    let (store, clock, replica) = alone();
    let (client, first) = with_secret(&*store, in_days(6));
    commit(&*store, Mutation::ClientSuspended(client.clone().suspended().unwrap())).unwrap();
    assert_eq!(replica.raise(), 0, "suspended");
    clock.pass(Seconds::from_days(5));
    commit(&*store, Mutation::ClientReinstated(client.clone())).unwrap();
    assert_eq!(replica.raise(), 1, "reinstated");
    assert_eq!(said(&*store, NoticeKind::SecretExpiring), [(1, 5)]);
    let second = ClientSecret {
        expires_at: Some(in_days(11)),
        ..secret(&client)
    };
    let added = Mutation::SecretAdded {
        secret: ClientSecret {
            status: SecretStatus::Retired,
            ..second
        },
        retiring: Vec::new(),
        partner_id: client.partner_id().cloned(),
        environment: client.environment,
    };
    commit(&*store, added).unwrap();
    assert_eq!(replica.raise(), 0, "retired");
    clock.pass(DAY);
    assert_eq!(replica.raise(), 0, "ended: {first:?}");
}

#[test]
fn more_than_a_page_is_noticed_in_one_look() {
    let (store, _, replica) = alone();
    acme(&*store);
    // Many in one second, so that a page ends within it.
    for number in 0..450_u32 {
        let client = Client {
            expires_at: Some(in_days(6) + Seconds(number / 300)),
            ..client("acme", &format!("qa-acme-{number:04}"))
        };
        let secret = secret(&client);
        commit(&*store, Mutation::ClientRegistered(client, secret)).unwrap();
    }
    assert_eq!(replica.raise(), 450);
    assert_eq!(replica.raise(), 0);
}

#[test]
fn a_turn_raises_a_bounded_number_and_what_is_nearest_comes_first() {
    let ground = places::sqlite_ground();
    let settings = ground.settings();
    acme(&*store::open(&settings).unwrap());
    let mutations = (0..2100_u32).map(|number| {
        let days = if number < 2050 { 10 } else { 5 };
        let client = Client {
            expires_at: Some(in_days(days)),
            ..client("acme", &format!("qa-acme-{number:04}"))
        };
        let secret = secret(&client);
        Mutation::ClientRegistered(client, secret)
    });
    commit_in_bulk(&settings.url, settings.timeout, &attribution(), mutations).unwrap();
    let store = store::open(&settings).unwrap();
    let replica = Replica::new(&store, &HeldClock::new(), None);
    assert_eq!(replica.raise(), 50 + 2000);
    let of_days = |days| {
        let kept = read(&*store, |records| {
            records.notices(&NoticeFilter::default(), &Page::first(9999))
        });
        kept.iter().filter(|kept| kept.notice.threshold.days() == days).count()
    };
    assert_eq!((of_days(7), of_days(14)), (50, 2000));
    assert_eq!(replica.raise(), 50);
    assert_eq!(replica.raise(), 0);
}

#[test]
fn while_nothing_changes_only_what_came_near_is_looked_at() {
    let (faulty, clock) = (FaultyStore::new(Sharing::Sole), HeldClock::new());
    let store: Arc<dyn Store> = Arc::new(faulty.clone());
    let replica = Replica::new(&store, &clock, None);
    let (client, _) = with_secret(&*store, in_days(31));
    // The edges of four spans, for secrets and for clients, after the head of the journal.
    const EDGES: usize = 1 + 2 * 4;
    let look = |raised: usize| {
        let before = faulty.calls();
        assert_eq!(replica.raise(), raised);
        faulty.calls() - before
    };
    assert!(look(0) > 2 * 30, "each day by itself");
    clock.pass(DAY);
    assert_eq!(look(1), EDGES, "the secret that came near is raised");
    clock.pass(DAY);
    assert_eq!(look(0), EDGES);
    move_end(&*store, &client, in_days(4));
    assert!(look(1) > 2 * 30, "what was changed can be anywhere");
    clock.set(NOW);
    assert!(look(0) > 2 * 30, "a clock that was set back");
}

#[test]
fn a_notice_is_kept_until_its_subject_has_ended_for_the_time_of_retention() {
    let (store, clock, replica) = alone();
    with_secret(&*store, in_days(6));
    replica.raise();
    let forget = || actix_web::rt::System::new().block_on(replica.notices.forget()).unwrap();
    clock.set(in_days(96) - Seconds(1));
    assert_eq!((forget(), all(&*store).len()), (0, 1));
    clock.pass(Seconds(1));
    assert_eq!((forget(), all(&*store).len()), (1, 0));
    assert_eq!(replica.raise(), 0, "what was forgotten is not noticed again");
}

/// Of replicas that look at the same moment, one raises each notice; a replica that is started later raises none of them.
fn replicas_raise_each_notice_once(fresh: &Fresh) {
    let store = &fresh.store;
    acme(&**store);
    for number in 0..30 {
        let client = Client {
            expires_at: Some(in_days(3 + number)),
            ..client("acme", &format!("qa-acme-{number:02}"))
        };
        let secret = ClientSecret {
            expires_at: Some(in_days(2)),
            ..secret(&client)
        };
        commit(&**store, Mutation::ClientRegistered(client, secret)).unwrap();
    }
    let clock = HeldClock::new();
    let barrier = Barrier::new(3);
    let raised: Vec<usize> = thread::scope(|scope| {
        let replica = || {
            let replica = Replica::new(store, &clock, None);
            barrier.wait();
            replica.raise()
        };
        let replicas: Vec<_> = (0..3).map(|_| scope.spawn(replica)).collect();
        replicas.into_iter().map(|replica| replica.join().unwrap()).collect()
    });
    // Thirty secrets, and the clients whose ends, on days 3 to 32, lie not beyond the thirtieth.
    assert_eq!(raised.iter().sum::<usize>(), 30 + 28, "{raised:?}");
    let kept = all(&**store);
    assert_eq!(kept.len(), 58);
    assert_eq!(
        kept.iter()
            .filter(|kept| kept.notice.subject == NoticeSubject::Client)
            .count(),
        28
    );
    assert_eq!(Replica::new(store, &clock, None).raise(), 0);
}

on_every_fresh_store!(replicas_raise_each_notice_once);
