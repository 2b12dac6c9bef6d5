//! The board of notices, and what it is filled from.

use std::sync::Barrier;
use std::thread;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    Client, ClientSecret, Delivery, DeliveryState, Ending, Environment, KeptNotice, Milliseconds, Mutation, Notice,
    NoticeKind, NoticeSubject, Seconds, SecretId, Span, Threshold, Timestamp,
};
use mintmark::store::{EndingCount, NearEnd, NoticeFilter, Order, Page, Store};

use crate::store::samples::{NOW, acme, api, client, commit, read, resource_server, secret};

const DAY: Seconds = Seconds::from_days(1);

/// A client with an end, and its secret with another.
fn register(
    store: &dyn Store,
    client: Client,
    (own, of_secret): (Option<Timestamp>, Option<Timestamp>),
) -> ClientSecret {
    let client = Client {
        expires_at: own,
        ..client
    };
    let secret = ClientSecret {
        expires_at: of_secret,
        ..secret(&client)
    };
    commit(store, Mutation::ClientRegistered(client, secret.clone())).unwrap();
    secret
}

fn near(kind: NoticeKind, threshold: Threshold) -> NearEnd {
    NearEnd {
        kind,
        threshold,
        span: threshold.span(NOW),
        now: NOW,
    }
}

/// Every page of two.
fn endings(store: &dyn Store, near: &NearEnd) -> Vec<Ending> {
    let (mut all, mut page) = (Vec::new(), Page::first(2));
    loop {
        let piece = read(store, |records| records.endings(near, &page));
        assert!(piece.len() <= 2);
        let Some(last) = piece.last() else {
            return all;
        };
        page.after = Some(last.key());
        all.extend(piece);
    }
}

/// A notice of something that ends so many days from now, raised so many seconds after now.
fn notice((subject, days): (NoticeSubject, u32), raised: u32) -> KeptNotice {
    let ending = Ending {
        subject,
        client_id: "qa-acme-0000000000".parse().unwrap(),
        partner_id: Some("acme".parse().unwrap()),
        environment: Environment::Qa,
        expires_at: NOW + Seconds::from_days(days),
    };
    let at = Milliseconds((NOW + Seconds(raised)).seconds() * 1000 + 7);
    KeptNotice {
        notice: Notice::raise(ending, Threshold::SevenDays, (at, &SystemEntropy::new())),
        delivery: Delivery::Waiting {
            attempts: 0,
            next_attempt_at: NOW + Seconds(raised),
        },
    }
}

fn of_secret() -> NoticeSubject {
    NoticeSubject::Secret {
        secret_id: SecretId::mint(&SystemEntropy::new()),
    }
}

fn all(store: &dyn Store) -> Vec<KeptNotice> {
    read(store, |records| {
        records.notices(&NoticeFilter::default(), &Page::first(999))
    })
}

/// None of these works to its end: suspended, revoked, retired, of a client that has ended; and one has none.
fn register_what_does_not_work(store: &dyn Store, end: Timestamp) {
    for (name, change) in [
        ("qa-suspended", Client::suspended as fn(Client) -> _),
        ("qa-revoked", Client::revoked),
    ] {
        register(store, client("acme", name), (Some(end), Some(end)));
        let found = read(store, |records| records.client(&name.parse().unwrap())).unwrap();
        let changed: Client = change(found).unwrap();
        commit(
            store,
            if name == "qa-revoked" {
                Mutation::ClientRevoked(changed)
            } else {
                Mutation::ClientSuspended(changed)
            },
        )
        .unwrap();
    }
    let retiring = client("acme", "qa-retiring");
    let retired = register(store, retiring.clone(), (None, Some(end)));
    let mutation = Mutation::SecretRetired {
        secret: retired.ending(NOW, NOW).unwrap(),
        partner_id: retiring.partner_id().cloned(),
        environment: retiring.environment,
    };
    commit(store, mutation).unwrap();
    register(store, client("acme", "qa-ended"), (Some(NOW), Some(end)));
    register(store, client("acme", "qa-endless"), (None, None));
}

pub fn what_ends_near_a_threshold_is_read_page_by_page(store: &dyn Store) {
    acme(store);
    let seven = |seconds: i64| Timestamp::from_seconds(NOW.seconds() + 7 * 86_400 + seconds);
    // Three that end in the same second, so that a page ends among them, and one on each side of both ends of the span.
    let ends = [
        seven(0),
        seven(-5),
        seven(-5),
        seven(-5),
        seven(1),
        NOW + DAY,
        NOW + DAY + Seconds(1),
    ];
    let mut expected = Vec::new();
    for (number, end) in ends.into_iter().enumerate() {
        let name = format!("qa-acme-{number}");
        let secret = register(store, client("acme", &name), (Some(end), Some(end)));
        if NOW + DAY < end && end <= seven(0) {
            expected.push((end, secret.secret_id.to_string(), name));
        }
    }
    register_what_does_not_work(store, seven(-1));
    let mut secrets: Vec<_> = expected.iter().map(|(end, secret, _)| (*end, secret.clone())).collect();
    secrets.sort();
    let found = endings(store, &near(NoticeKind::SecretExpiring, Threshold::SevenDays));
    assert_eq!(found.iter().map(Ending::key).collect::<Vec<_>>(), secrets);
    let mut clients: Vec<_> = expected.iter().map(|(end, _, client)| (*end, client.clone())).collect();
    clients.sort();
    let found = endings(store, &near(NoticeKind::ClientExpiring, Threshold::SevenDays));
    assert_eq!(found.iter().map(Ending::key).collect::<Vec<_>>(), clients);
}

pub fn what_was_noticed_is_no_longer_found_at_this_end_and_threshold(store: &dyn Store) {
    acme(store);
    for name in ["qa-one", "qa-two"] {
        register(store, client("acme", name), (Some(NOW + Seconds::from_days(6)), None));
    }
    let found = || endings(store, &near(NoticeKind::ClientExpiring, Threshold::SevenDays));
    let both = found();
    let [first, second] = &both[..] else { panic!("{both:?}") };
    let raise = |ending: Ending, threshold| {
        let notice = Notice::raise(ending, threshold, (Milliseconds(1), &SystemEntropy::new()));
        let delivery = Delivery::None;
        assert_eq!(
            store
                .board()
                .raise(vec![KeptNotice { notice, delivery }])
                .unwrap()
                .len(),
            1
        );
    };
    // The notice of another threshold or another end says nothing here.
    raise(first.clone(), Threshold::ThirtyDays);
    let moved = Ending {
        expires_at: first.expires_at + Seconds(1),
        ..first.clone()
    };
    raise(moved, Threshold::SevenDays);
    assert_eq!(found(), both);
    raise(first.clone(), Threshold::SevenDays);
    assert_eq!(found(), std::slice::from_ref(second));
}

pub fn what_ends_is_counted_by_environment(store: &dyn Store) {
    acme(store);
    let orders = api(Environment::Production, "orders");
    commit(store, Mutation::ApiRegistered(orders.clone())).unwrap();
    let ends = [
        None,
        Some(NOW),
        Some(NOW + Seconds(1)),
        Some(NOW + Seconds(10)),
        Some(NOW + Seconds(11)),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let live = (Some(NOW + Seconds(99)), end);
        register(store, client("acme", &format!("qa-a-{number}")), live);
        if number < 3 {
            register(store, resource_server(&orders, &format!("live-b-{number}")), live);
        }
        register(store, client("acme", &format!("qa-c-{number}")), (Some(NOW), end));
    }
    let span = |after: u32, until: u32| Span {
        after: NOW + Seconds(after),
        until: NOW + Seconds(until),
    };
    let count = |kind, span| read(store, |records| records.count_endings(kind, (NOW, span)));
    // After the beginning and not after the end: the third and the fourth in QA, the third in Production.
    let (qa, production) = (2, 1);
    assert_eq!(
        count(NoticeKind::SecretExpiring, span(0, 10)),
        EndingCount { qa, production }
    );
    assert_eq!(
        count(NoticeKind::SecretExpiring, span(10, 11)),
        EndingCount { qa: 1, production: 0 }
    );
    assert_eq!(
        count(NoticeKind::ClientExpiring, span(10, 99)),
        EndingCount { qa: 5, production: 3 }
    );
    assert_eq!(count(NoticeKind::ClientExpiring, span(99, 100)), EndingCount::default());
}

pub fn a_notice_is_read_back_as_it_was_kept(store: &dyn Store) {
    let mut kept = vec![notice((of_secret(), 3), 1), notice((NoticeSubject::Client, 3), 2)];
    kept[1].notice.partner_id = None;
    kept[1].notice.environment = Environment::Production;
    kept[1].delivery = Delivery::None;
    assert_eq!(store.board().raise(kept.clone()).unwrap(), kept);
    assert_eq!(all(store), kept);
    for delivery in [
        Delivery::Waiting {
            attempts: 0,
            next_attempt_at: NOW + Seconds(8),
        },
        Delivery::Delivered {
            attempts: 0,
            settled_at: NOW + Seconds(9),
        },
    ] {
        assert!(store.board().settle(&kept[0].notice.notice_id, delivery).unwrap());
        kept[0].delivery = delivery;
        assert_eq!(all(store), kept);
    }
}

pub fn a_notice_is_kept_once_for_each_subject_end_and_threshold(store: &dyn Store) {
    let first = notice((of_secret(), 3), 0);
    let again = |change: fn(&mut KeptNotice)| {
        let mut again = notice((first.notice.subject.clone(), 3), 60);
        change(&mut again);
        again
    };
    let the_same = again(|_| ());
    let moved = again(|kept| kept.notice.expires_at = kept.notice.expires_at + Seconds(1));
    let nearer = again(|kept| kept.notice.threshold = Threshold::OneDay);
    let other = notice((of_secret(), 3), 60);
    assert_eq!(store.board().raise(vec![first.clone()]).unwrap(), vec![first.clone()]);
    let new = vec![moved, nearer, other];
    let raised = store
        .board()
        .raise([&new[..1], &[the_same], &new[1..]].concat())
        .unwrap();
    assert_eq!(raised, new);
    assert_eq!(store.board().raise(new.clone()).unwrap(), []);
    assert_eq!(all(store).len(), 4);
}

pub fn a_notice_whose_id_is_taken_changes_nothing(store: &dyn Store) {
    let first = notice((of_secret(), 3), 0);
    let mut other = notice((of_secret(), 3), 60);
    other.notice.notice_id = first.notice.notice_id.clone();
    assert_eq!(store.board().raise(vec![first.clone()]).unwrap(), vec![first.clone()]);
    assert_eq!(store.board().raise(vec![other]).unwrap(), []);
    assert_eq!(all(store), vec![first]);
}

pub fn of_many_who_raise_the_same_one_does(store: &dyn Store) {
    const REPLICAS: usize = 4;
    let subjects: Vec<_> = (0..20).map(|_| of_secret()).collect();
    let barrier = Barrier::new(REPLICAS);
    // The threads need no more of the store than that it is one.
    let raised: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..REPLICAS)
            .map(|_| {
                scope.spawn(|| {
                    let mine = subjects.iter().map(|subject| notice((subject.clone(), 3), 0));
                    let mine: Vec<_> = mine.collect();
                    barrier.wait();
                    store.board().raise(mine).unwrap().len()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(raised, subjects.len());
    assert_eq!(all(store).len(), subjects.len());
}

pub fn what_is_due_is_taken_by_one_at_a_time_the_longest_due_first(store: &dyn Store) {
    let (late, early) = (notice((of_secret(), 3), 20), notice((of_secret(), 3), 10));
    let mut unwanted = notice((of_secret(), 3), 0);
    unwanted.delivery = Delivery::None;
    store
        .board()
        .raise(vec![late.clone(), early.clone(), unwanted])
        .unwrap();
    let lost_at = NOW + Seconds(100);
    let take = |at: u32| store.board().take_due(NOW + Seconds(at), lost_at).unwrap();
    let id = |taken: Option<KeptNotice>| taken.map(|kept| kept.notice.notice_id);
    assert_eq!(id(take(9)), None);
    let taken = take(30).unwrap();
    assert_eq!(taken.notice, early.notice);
    let begun = Delivery::Waiting {
        attempts: 1,
        next_attempt_at: lost_at,
    };
    assert_eq!(taken.delivery, begun);
    assert_eq!(id(take(30)), Some(late.notice.notice_id.clone()));
    assert_eq!(id(take(99)), None, "both are under way");
    // Lost: whoever began them was not heard of again.
    let barrier = Barrier::new(4);
    let again = thread::scope(|scope| {
        let take = || {
            barrier.wait();
            store.board().take_due(lost_at, lost_at + Seconds(100)).unwrap()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
        let taken: Vec<_> = threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap())
            .collect();
        taken
    });
    let mut ids: Vec<_> = again.iter().map(|kept| kept.notice.notice_id.clone()).collect();
    ids.sort();
    assert_eq!(ids, [early.notice.notice_id, late.notice.notice_id]);
}

pub fn only_the_last_attempt_begun_can_be_settled(store: &dyn Store) {
    let kept = notice((of_secret(), 3), 0);
    let id = &kept.notice.notice_id;
    store.board().raise(vec![kept.clone()]).unwrap();
    for lost_at in [NOW + Seconds(10), NOW + Seconds(20)] {
        assert!(
            store
                .board()
                .take_due(lost_at - Seconds(10), lost_at)
                .unwrap()
                .is_some()
        );
    }
    let delivered = |attempts| Delivery::Delivered {
        attempts,
        settled_at: NOW,
    };
    let settle = |delivery| store.board().settle(id, delivery).unwrap();
    assert!(!settle(delivered(1)), "the first attempt counts as lost");
    assert!(!settle(Delivery::None));
    assert!(settle(delivered(2)));
    let given_up = Delivery::GivenUp {
        attempts: 2,
        settled_at: NOW,
    };
    assert!(!settle(given_up), "what is settled stays");
    assert_eq!(all(store)[0].delivery, delivered(2));
    assert!(
        !store
            .board()
            .settle(&notice((of_secret(), 3), 0).notice.notice_id, delivered(0))
            .unwrap()
    );
}

pub fn notices_are_listed_in_their_order_and_filtered(store: &dyn Store) {
    let mut kept: Vec<_> = (0..6).map(|number| notice((of_secret(), 3), number)).collect();
    kept[1].notice.subject = NoticeSubject::Client;
    kept[2].notice.environment = Environment::Production;
    kept[3].notice.partner_id = None;
    kept[4].notice.client_id = "qa-other-000000".parse().unwrap();
    kept[5].delivery = Delivery::None;
    let mut shuffled = kept.clone();
    shuffled.rotate_left(4);
    store.board().raise(shuffled).unwrap();
    let ids = |filter: &NoticeFilter, page: &Page<_>| {
        let found = read(store, |records| records.notices(filter, page));
        let place = |found: &KeptNotice| kept.iter().position(|kept| kept == found).unwrap();
        found.iter().map(place).collect::<Vec<_>>()
    };
    let every = NoticeFilter::default();
    assert_eq!(ids(&every, &Page::first(9)), [0, 1, 2, 3, 4, 5]);
    let newest = NoticeFilter {
        order: Order::NewestFirst,
        ..every.clone()
    };
    assert_eq!(ids(&newest, &Page::first(2)), [5, 4]);
    let after = |place: usize| Page {
        after: Some(kept[place].notice.notice_id.clone()),
        limit: 2,
    };
    assert_eq!(ids(&every, &after(1)), [2, 3]);
    assert_eq!(ids(&newest, &after(1)), [0]);
    let whole = Page::first(9);
    let filtered = |filter: NoticeFilter| ids(&filter, &whole);
    let start = || every.clone();
    assert_eq!(
        filtered(NoticeFilter {
            kind: Some(NoticeKind::ClientExpiring),
            ..start()
        }),
        [1]
    );
    assert_eq!(
        filtered(NoticeFilter {
            environment: Some(Environment::Production),
            ..start()
        }),
        [2]
    );
    assert_eq!(
        filtered(NoticeFilter {
            partner_id: Some("acme".parse().unwrap()),
            ..start()
        }),
        [0, 1, 2, 4, 5]
    );
    let client_id = Some(kept[4].notice.client_id.clone());
    assert_eq!(filtered(NoticeFilter { client_id, ..start() }), [4]);
    assert_eq!(
        filtered(NoticeFilter {
            delivery: Some(DeliveryState::None),
            ..start()
        }),
        [5]
    );
    assert_eq!(
        filtered(NoticeFilter {
            delivery: Some(DeliveryState::GivenUp),
            ..start()
        }),
        [0; 0]
    );
}

pub fn notices_of_what_ended_long_ago_are_forgotten(store: &dyn Store) {
    let kept: Vec<_> = [1, 2, 3].map(|days| notice((of_secret(), days), 0)).into();
    store.board().raise(kept.clone()).unwrap();
    let ended = NOW + Seconds::from_days(2);
    assert_eq!(store.board().forget_notices(ended).unwrap(), 2);
    assert_eq!(store.board().forget_notices(ended).unwrap(), 0);
    assert_eq!(all(store), kept[2..]);
}
