//! Receivers that behave badly: none holds a server up, leads it elsewhere, or makes it read what it need not.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use mintmark::domain::{Delivery, Seconds};
use mintmark::store::Store;

use super::receiver::{Receiver, Reply};
use super::replica::{HeldClock, Replica, all, to, with_secret};
use crate::store::places;
use crate::store::samples::NOW;

/// Sends one notice to a receiver that replies so, and gives back what became of it and how many requests came.
fn sent(timeout: Duration, reply: Reply) -> (Delivery, usize) {
    let (store, clock, receiver): (Arc<dyn Store>, _, _) =
        (places::memory().store, HeldClock::new(), Receiver::start());
    let replica = Replica::new(&store, &clock, Some(to(&receiver, timeout)));
    with_secret(&*store, NOW + Seconds::from_days(5));
    replica.raise();
    receiver.will([reply]);
    replica.deliver();
    let outcome = all(&*store)[0].delivery;
    let counted = (replica.attempts("delivered"), replica.attempts("failed"));
    let arrived = u64::from(matches!(outcome, Delivery::Delivered { .. }));
    assert_eq!(counted, (arrived, 1 - arrived));
    (outcome, receiver.rest().len())
}

const LONG: Duration = Duration::from_secs(20);

fn arrives(reply: Reply) -> bool {
    match sent(LONG, reply) {
        (Delivery::Delivered { attempts: 1, .. }, 1) => true,
        (Delivery::Waiting { attempts: 1, .. }, 1) => false,
        other => panic!("{other:?}"),
    }
}

#[test]
fn any_status_from_200_to_299_is_an_arrival_and_no_other() {
    for status in [200, 202, 204, 299] {
        assert!(arrives(Reply::Status(status)), "{status}");
    }
    for status in [300, 304, 400, 401, 404, 410, 429, 500, 599] {
        assert!(!arrives(Reply::Status(status)), "{status}");
    }
}

#[test]
fn no_redirect_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Receiver::start();
        assert!(
            !arrives(Reply::Head(status, format!("location: {}\r\n", elsewhere.url()))),
            "{status}"
        );
        assert_eq!(elsewhere.rest().len(), 0, "{status}");
    }
}

#[test]
fn the_body_of_an_answer_is_not_waited_for() {
    // It never ends: whoever read it to its end would run into the timeout, and then it would not have arrived.
    assert!(arrives(Reply::Endless(200)));
    assert!(!arrives(Reply::Endless(500)));
}

#[test]
fn a_head_that_does_not_end_is_a_failure() {
    assert!(!arrives(Reply::EndlessHead));
    assert!(!arrives(Reply::Head(
        204,
        format!("x-filler: {}\r\n", "x".repeat(100_000))
    )));
}

#[test]
fn what_is_no_answer_is_a_failure() {
    assert!(!arrives(Reply::Nonsense));
    assert!(!arrives(Reply::Nothing));
}

#[test]
fn a_receiver_that_stalls_is_given_up_when_its_time_is_over() {
    let (_hold, released) = channel();
    let (outcome, requests) = sent(Duration::from_millis(200), Reply::Stall(released, 204));
    assert!(matches!(outcome, Delivery::Waiting { attempts: 1, .. }), "{outcome:?}");
    assert_eq!(requests, 1);
}

#[test]
fn a_receiver_that_is_not_there_is_a_failure() {
    let (store, clock, receiver): (Arc<dyn Store>, _, _) =
        (places::memory().store, HeldClock::new(), Receiver::start());
    let mut parts = to(&receiver, LONG);
    // Port 1 is nobody's here.
    parts.url = "http://127.0.0.1:1/in".parse().unwrap();
    let replica = Replica::new(&store, &clock, Some(parts));
    with_secret(&*store, NOW + Seconds::from_days(5));
    replica.raise();
    replica.deliver();
    assert!(matches!(
        all(&*store)[0].delivery,
        Delivery::Waiting { attempts: 1, .. }
    ));
}
