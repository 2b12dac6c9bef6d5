//! That a notice arrives: signed, tried again, by one replica at a time, over restarts, and not for ever.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use mintmark::ambient::Clock as _;
use mintmark::domain::{Delivery, Seconds, Timestamp};
use mintmark::store::{self, Store};
use serde_json::{Value, json};

use super::receiver::{Got, Receiver, Reply};
use super::replica::{HeldClock, Replica, SECRET, all, to, with_secret};
use crate::process::clients::prepared;
use crate::store::places;
use crate::store::samples::NOW;

/// Longer than any receiver here needs.
const LONG: Duration = Duration::from_secs(20);
const IN_FIVE_DAYS: Timestamp = Timestamp::from_seconds(NOW.seconds() + 5 * 86_400);

/// A store with one notice to send, and a replica that sends it to a receiver.
struct Scene {
    store: Arc<dyn Store>,
    clock: HeldClock,
    receiver: Receiver,
    replica: Replica,
}

impl Scene {
    fn set() -> Self {
        Self::on(places::memory().store)
    }

    fn on(store: Arc<dyn Store>) -> Self {
        let (clock, receiver) = (HeldClock::new(), Receiver::start());
        let replica = Replica::new(&store, &clock, Some(to(&receiver, LONG)));
        with_secret(&*store, IN_FIVE_DAYS);
        assert_eq!(replica.raise(), 1);
        Self {
            store,
            clock,
            receiver,
            replica,
        }
    }

    fn delivery(&self) -> Delivery {
        all(&*self.store)[0].delivery
    }

    /// Moves the clock to the next attempt, and says how long that was.
    fn wait(&self) -> Seconds {
        let Delivery::Waiting { next_attempt_at, .. } = self.delivery() else {
            panic!("nothing is waited for: {:?}", self.delivery());
        };
        let now = self.clock.now();
        self.clock.set(next_attempt_at);
        next_attempt_at.since(now)
    }
}

/// Lets the lines of Python that the documents give to receivers judge a request.
fn verify(got: &Got, secret: &str) -> bool {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/OPERATIONS.md")).unwrap();
    let mut blocks = page
        .split("```python\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    let mut program = blocks.find(|block| block.contains("def verify(")).unwrap().to_owned();
    let body: String = got.body.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let (headers, now) = (json!(got.headers), got.header("webhook-timestamp"));
    writeln!(
        program,
        "verify('{secret}', {headers}, bytes.fromhex('{body}'), now={now})"
    )
    .unwrap();
    let mut python = Command::new(prepared("MINTMARK_TEST_PYTHON"));
    python.args(["-c", &program]).output().unwrap().status.success()
}

#[test]
fn a_notice_that_fails_twice_arrives_the_third_time_under_one_id() {
    let scene = Scene::set();
    scene.receiver.will([Reply::Status(500), Reply::Nothing]);
    let mut waited = Vec::new();
    for _ in 0..2 {
        scene.replica.deliver();
        scene.replica.deliver();
        waited.push(scene.wait().get());
    }
    assert!(
        (30..=45).contains(&waited[0]) && (60..=90).contains(&waited[1]),
        "{waited:?}"
    );
    scene.replica.deliver();
    let settled_at = scene.clock.now();
    assert_eq!(
        scene.delivery(),
        Delivery::Delivered {
            attempts: 3,
            settled_at
        }
    );
    assert_eq!(
        (scene.replica.attempts("failed"), scene.replica.attempts("delivered")),
        (2, 1)
    );
    scene.replica.deliver();

    let got = scene.receiver.rest();
    assert_eq!(got.len(), 3, "each attempt is one request");
    let times: BTreeSet<&str> = got.iter().map(|got| got.header("webhook-timestamp")).collect();
    assert_eq!(times.len(), 3, "each attempt is signed for its own time");
    let notice = all(&*scene.store).remove(0).notice;
    for got in &got {
        assert_eq!(got.line, "POST /in?team=payments HTTP/1.1");
        assert_eq!(got.header("webhook-id"), notice.notice_id.as_str());
        assert_eq!(got.header("content-type"), "application/json");
        assert!(verify(got, SECRET));
    }
    let secret_id = notice.subject.secret_id().unwrap();
    let expected: Value = json!({
        "type": "secret.expiring",
        "timestamp": "2027-01-15T08:00:00Z",
        "data": {
            "notice_id": notice.notice_id,
            "kind": "secret.expiring",
            "secret_id": secret_id,
            "environment": "production",
            "partner_id": "acme",
            "client_id": "live-acme-0123456789",
            "days": 7,
            "expires_at": "2027-01-20T08:00:00Z",
            "raised_at": "2027-01-15T08:00:00Z",
        },
    });
    assert_eq!(got[0].json(), expected);
}

#[test]
fn a_signature_is_of_this_body_this_time_this_id_and_this_secret() {
    let scene = Scene::set();
    scene.replica.deliver();
    let got = scene.receiver.next();
    assert!(verify(&got, SECRET));
    let forged = |change: fn(&mut Got)| {
        let mut forged = got.clone();
        change(&mut forged);
        !verify(&forged, SECRET)
    };
    assert!(forged(|got| got.body[0] = b' '));
    assert!(forged(|got| _ = got
        .headers
        .insert("webhook-timestamp".to_owned(), "1800000001".to_owned())));
    assert!(forged(
        |got| _ = got.headers.insert("webhook-id".to_owned(), "0".repeat(26))
    ));
    assert!(!verify(&got, "whsec_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
}

#[test]
fn while_the_secret_is_changed_either_verifies() {
    let scene = Scene::set();
    let new = "whsec_//////////////////////////////////////////8=";
    let mut parts = to(&scene.receiver, LONG);
    parts.secrets.insert(0, new.parse().unwrap());
    Replica::new(&scene.store, &scene.clock, Some(parts)).deliver();
    let got = scene.receiver.next();
    assert!(verify(&got, SECRET) && verify(&got, new));
    assert!(!verify(&got, "whsec_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
}

#[test]
fn a_receiver_that_asks_for_time_gets_it() {
    let scene = Scene::set();
    let asking = |lines: &str| Reply::Head(503, lines.to_owned());
    scene
        .receiver
        .will([asking("retry-after: 3600\r\n"), asking("retry-after: 864000\r\n")]);
    for (least, most) in [(3600, 5400), (21_600, 32_400)] {
        scene.replica.deliver();
        let waited = scene.wait().get();
        assert!((least..=most).contains(&waited), "{waited}");
    }
}

#[test]
fn after_three_days_a_notice_is_given_up() {
    let scene = Scene::set();
    scene.receiver.will((0..40).map(|_| Reply::Status(500)));
    let mut attempts = 0;
    while let Delivery::Waiting { .. } = scene.delivery() {
        scene.wait();
        scene.replica.deliver();
        attempts += 1;
    }
    // Without chance there would be 21; half as much again at each delay leaves two thirds.
    assert!((14..=21).contains(&attempts), "{attempts}");
    let settled_at = scene.clock.now();
    assert_eq!(scene.delivery(), Delivery::GivenUp { attempts, settled_at });
    assert!(settled_at.since(NOW) <= Seconds::from_days(3));
    assert_eq!(scene.replica.attempts("given_up"), 1);
    assert_eq!(scene.replica.attempts("failed"), u64::from(attempts) - 1);
    scene.clock.pass(Seconds::from_days(30));
    scene.replica.deliver();
    assert_eq!(scene.receiver.rest().len(), attempts as usize);
}

#[test]
fn a_receiver_that_has_just_failed_is_left_alone_until_the_next_turn() {
    let scene = Scene::set();
    let raised = all(&*scene.store).remove(0);
    let further = (0..3).map(|number| {
        let mut further = raised.clone();
        // Ids of the year 1970, so none is the one that was minted.
        further.notice.notice_id = format!("{number:026}").parse().unwrap();
        further.notice.expires_at = further.notice.expires_at + Seconds(number + 1);
        further
    });
    scene.store.board().raise(further.collect()).unwrap();
    scene.receiver.will([Reply::Status(204), Reply::Status(500)]);
    scene.replica.deliver();
    assert_eq!(
        scene.receiver.rest().len(),
        2,
        "one arrived, one did not, two were not tried"
    );
    scene.replica.deliver();
    assert_eq!(scene.receiver.rest().len(), 2);
}

#[test]
fn without_an_address_nothing_is_sent_later_either() {
    let (store, clock, receiver) = (places::memory().store, HeldClock::new(), Receiver::start());
    with_secret(&*store, IN_FIVE_DAYS);
    assert_eq!(Replica::new(&store, &clock, None).raise(), 1);
    let replica = Replica::new(&store, &clock, Some(to(&receiver, LONG)));
    replica.deliver();
    assert_eq!(receiver.rest().len(), 0);
    clock.pass(Seconds::from_days(4));
    replica.raise();
    replica.deliver();
    assert_eq!(receiver.rest().len(), 1, "the next one is sent");
}

/// While one replica waits for the receiver, no other sends the same.
fn one_replica_at_a_time_sends(store: Arc<dyn Store>) {
    let scene = Scene::on(store);
    let (release, released) = channel();
    scene.receiver.will([Reply::Stall(released, 204)]);
    thread::scope(|scope| {
        let first = scope.spawn(|| scene.replica.deliver());
        let got = scene.receiver.next();
        let other = Replica::new(&scene.store, &scene.clock, Some(to(&scene.receiver, LONG)));
        other.deliver();
        // The clock of the other is ahead by as much as clocks are taken to be off.
        scene.clock.pass(mintmark::domain::CLOCK_SKEW);
        other.deliver();
        assert_eq!(scene.receiver.rest().len(), 0);
        release.send(()).unwrap();
        first.join().unwrap();
        assert_eq!(
            got.header("webhook-id"),
            all(&*scene.store)[0].notice.notice_id.as_str()
        );
    });
    assert!(matches!(scene.delivery(), Delivery::Delivered { attempts: 1, .. }));
}

#[test]
fn an_attempt_that_nobody_finished_is_made_again_by_another() {
    let scene = Scene::set();
    // As a replica does that is killed while it waits for the answer.
    let lost_at = NOW + Seconds(90);
    assert!(scene.store.board().take_due(NOW, lost_at).unwrap().is_some());
    scene.replica.deliver();
    scene.clock.set(lost_at - Seconds(1));
    scene.replica.deliver();
    assert_eq!(scene.receiver.rest().len(), 0);
    scene.clock.set(lost_at);
    scene.replica.deliver();
    let settled_at = lost_at;
    assert_eq!(
        scene.delivery(),
        Delivery::Delivered {
            attempts: 2,
            settled_at
        }
    );
}

/// A notice that waits is sent by whoever is there when its time comes.
fn a_waiting_notice_outlives_the_process(url: &str) {
    let open = || store::open(&places::settings(url)).unwrap();
    let Scene {
        store,
        clock,
        receiver,
        replica,
    } = {
        let scene = Scene::on(open());
        scene.receiver.will([Reply::Status(503)]);
        scene.replica.deliver();
        scene.wait();
        scene
    };
    drop((replica, store));
    let store = open();
    let replica = Replica::new(&store, &clock, Some(to(&receiver, LONG)));
    assert_eq!(replica.raise(), 0);
    replica.deliver();
    assert!(matches!(
        all(&*store)[0].delivery,
        Delivery::Delivered { attempts: 2, .. }
    ));
    let got = receiver.rest();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
}

macro_rules! on_stores {
    ($($store:ident $ground:ident)*) => {
        $(mod $store {
            #[test]
            fn one_replica_at_a_time_sends() {
                let fresh = crate::store::places::$store();
                super::one_replica_at_a_time_sends(std::sync::Arc::clone(&fresh.store));
            }

            #[test]
            fn a_waiting_notice_outlives_the_process() {
                super::a_waiting_notice_outlives_the_process(&crate::store::places::$ground().url);
            }
        })*
    };
}
on_stores!(sqlite sqlite_ground postgresql postgresql_ground);

mod memory {
    #[test]
    fn one_replica_at_a_time_sends() {
        super::one_replica_at_a_time_sends(crate::store::places::memory().store);
    }
}
