//! The book of sessions.

use mintmark::domain::{Mutation, Operator, Pepper, Seconds, SecretDigest, Session, Timestamp};
use mintmark::store::{MOST_SESSIONS, Store};

use crate::store::samples::{NOW, commit, operator};

fn registered(store: &dyn Store, email: &str) -> Operator {
    let operator = operator(email);
    commit(store, Mutation::OperatorCreated(operator.clone())).unwrap();
    operator
}

fn digest(text: &str) -> SecretDigest {
    Pepper::new(&[4; 32]).digest(text)
}

/// A session of `operator` whose secret is `secret`, begun so many seconds after now.
fn session(operator: &Operator, secret: &str, after: u32) -> Session {
    let began_at = NOW + Seconds(after);
    Session {
        digest: digest(secret),
        operator_id: operator.operator_id.clone(),
        token_digest: operator.token_digest,
        source: "2001:db8::1".parse().unwrap(),
        began_at,
        used_at: began_at,
    }
}

/// All of a session, its digests too, which are not shown otherwise.
fn in_full(session: &Session) -> String {
    let digests = [session.digest.as_bytes(), session.token_digest.as_bytes()];
    format!("{session:?} {digests:?}")
}

fn kept(store: &dyn Store, secret: &str) -> Option<Session> {
    store.sessions().session(&digest(secret)).unwrap()
}

pub fn a_session_is_read_back_by_its_digest_until_it_ends(store: &dyn Store) {
    let (ada, book) = (registered(store, "ada@example.com"), store.sessions());
    let sessions = ["one", "other"].map(|secret| session(&ada, secret, 0));
    for session in &sessions {
        book.begin_session(session).unwrap();
    }
    assert_eq!(in_full(&kept(store, "one").unwrap()), in_full(&sessions[0]));
    book.end_session(&digest("one")).unwrap();
    book.end_session(&digest("nobody's")).unwrap();
    assert!(kept(store, "one").is_none());
    assert_eq!(in_full(&kept(store, "other").unwrap()), in_full(&sessions[1]));
}

pub fn its_last_use_is_never_moved_back(store: &dyn Store) {
    let (ada, book) = (registered(store, "ada@example.com"), store.sessions());
    book.begin_session(&session(&ada, "one", 0)).unwrap();
    book.begin_session(&session(&ada, "other", 0)).unwrap();
    let used = |after| {
        book.use_session(&digest("one"), NOW + Seconds(after)).unwrap();
        kept(store, "one").unwrap().used_at.since(NOW)
    };
    assert_eq!([60, 30, 90].map(used), [Seconds(60), Seconds(60), Seconds(90)]);
    assert_eq!(kept(store, "other").unwrap().used_at, NOW);
}

pub fn every_session_of_one_operator_ends_and_of_no_other(store: &dyn Store) {
    let (ada, ben) = (
        registered(store, "ada@example.com"),
        registered(store, "ben@example.com"),
    );
    let book = store.sessions();
    for (operator, secret) in [(&ada, "a1"), (&ada, "a2"), (&ben, "b1")] {
        book.begin_session(&session(operator, secret, 0)).unwrap();
    }
    assert_eq!(book.end_sessions(&ada.operator_id).unwrap(), 2);
    let left = ["a1", "a2", "b1"].map(|secret| kept(store, secret).is_some());
    assert_eq!(left, [false, false, true]);
    assert_eq!(book.end_sessions(&ada.operator_id).unwrap(), 0);
}

pub fn with_one_session_too_many_the_oldest_of_its_operator_ends(store: &dyn Store) {
    let (ada, ben) = (
        registered(store, "ada@example.com"),
        registered(store, "ben@example.com"),
    );
    let book = store.sessions();
    book.begin_session(&session(&ben, "b", 0)).unwrap();
    for number in 0..=u32::from(MOST_SESSIONS) {
        book.begin_session(&session(&ada, &number.to_string(), 1 + number))
            .unwrap();
    }
    let there = |number: u32| kept(store, &number.to_string()).is_some();
    assert!(!there(0));
    assert!((1..=u32::from(MOST_SESSIONS)).all(there));
    assert!(kept(store, "b").is_some(), "older, and another's");
}

pub fn sessions_are_forgotten_by_when_they_began(store: &dyn Store) {
    let (ada, book) = (registered(store, "ada@example.com"), store.sessions());
    for (secret, after) in [("old", 0), ("at the edge", 10), ("young", 11)] {
        book.begin_session(&session(&ada, secret, after)).unwrap();
    }
    book.use_session(&digest("old"), NOW + Seconds(100)).unwrap();
    let edge: Timestamp = NOW + Seconds(10);
    assert_eq!(book.forget_sessions(edge).unwrap(), 2);
    let left = ["old", "at the edge", "young"].map(|secret| kept(store, secret).is_some());
    assert_eq!(left, [false, false, true]);
}
