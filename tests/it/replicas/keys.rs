//! Keys that rotate under load: no request is lost, and no resource server meets a `kid` it cannot have.
//!
//! A resource server may keep a JWK set for `max-age` from the moment it asked for it (RFC 9111 §4.2.3), and fetch none meanwhile.
//! So of every set that was served, each token received while it may still be kept must be signed with one of its keys.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::fleet::{ALL, Fleet};
use super::load::{Kind, Load, Observation};
use super::question::{Question, Told};
use super::subject::assert_calm;
use crate::store::Aside;
use crate::support::server::{Installation, PATIENCE};

/// Answers waited for from each replica, between one event and the next.
const REQUESTS: usize = 60;
const DAY: u64 = 86_400;

/// Time as the keys see it: the machine's, and what was made to pass by setting their times back.
struct Passing {
    began: Instant,
    jumps: Vec<(Instant, Duration)>,
    aside: Aside,
}

impl Passing {
    fn begin(url: &str) -> Self {
        let mut aside = Aside::open(url);
        aside.execute("SET default_transaction_isolation = 'read committed'");
        Self {
            began: Instant::now(),
            jumps: Vec::new(),
            aside,
        }
    }

    /// Lets so many seconds pass at once.
    fn pass(&mut self, seconds: u64) {
        self.jumps.push((Instant::now(), Duration::from_secs(seconds)));
        self.aside.execute(&format!(
            "UPDATE signing_keys SET announced_at = announced_at - {seconds}, active_since = active_since - {seconds},
             retiring_since = retiring_since - {seconds}"
        ));
    }

    /// When that was.
    fn at(&self, moment: Instant) -> Duration {
        let jumps = self.jumps.iter().filter(|(at, _)| *at <= moment);
        moment - self.began + jumps.map(|(_, passed)| *passed).sum::<Duration>()
    }

    /// Tokens signed with a key that is in a set which may still have been kept, with that set.
    fn unknown<'a>(&self, seen: &'a [Observation]) -> Vec<(&'a Observation, &'a Observation)> {
        let tokens: Vec<_> = seen
            .iter()
            .filter_map(|each| match &each.told {
                Told::Token { kid, .. } => Some((each, self.at(each.received), kid)),
                _ => None,
            })
            .collect();
        let mut unknown = Vec::new();
        for set in seen {
            let Told::Keys { kids, max_age } = &set.told else {
                continue;
            };
            let (from, until) = (self.at(set.received), self.at(set.sent) + Duration::from_secs(*max_age));
            let kept = tokens.iter().filter(|(_, at, _)| (from..until).contains(at));
            unknown.extend(
                kept.filter(|(_, _, kid)| !kids.contains(kid))
                    .map(|(token, _, _)| (*token, set)),
            );
        }
        unknown
    }
}

/// Three replicas that promise a short `max-age`, and a client of them.
struct World {
    fleet: Fleet,
    questions: Vec<Question>,
    passing: Passing,
}

impl World {
    fn new() -> Self {
        let fleet = Fleet::of(Installation::postgresql().with("jwks.max_age", "10s"));
        let client = fleet.admin.client("qa");
        Self {
            questions: vec![Question::token(0, "qa", &client), Question::key_set(0, "qa")],
            passing: Passing::begin(fleet.installation.url()),
            fleet,
        }
    }

    fn load(&self) -> Load {
        let load = Load::start(&self.fleet.addresses(&ALL), 2, &self.questions);
        load.wait_for(REQUESTS, Kind::Yes, &ALL);
        load
    }

    /// Rotates by hand, at the first moment at which that is allowed.
    fn rotate(&mut self, load: &Load) {
        let since = Instant::now();
        loop {
            let reply = self.fleet.admin.post("/keys/qa/rotate", &Value::Null);
            match reply.status {
                200 => break,
                _ => assert_eq!(reply.expect(409)["type"], "urn:mintmark:problem:conflict"),
            }
            assert!(since.elapsed() < PATIENCE, "it never comes to a rotation");
            self.passing.pass(1);
        }
        load.wait_for(REQUESTS, Kind::Yes, &ALL);
    }

    /// The id of the key in this state.
    fn key(&self, state: &str) -> String {
        let keys = self.fleet.admin.list("/keys?environment=qa");
        let mut found = keys.iter().filter(|key| key["state"] == state);
        let kid = found.next().expect("there is such a key")["kid"].as_str();
        kid.expect("it has an id").to_owned()
    }
}

#[test]
fn rotations_under_load_lose_no_request_and_surprise_no_resource_server() {
    let mut world = World::new();
    let load = world.load();
    for _ in 0..3 {
        world.rotate(&load);
    }
    // A month later, a server that starts finds the key worn.
    let worn = world.key("active");
    world.passing.pass(31 * DAY);
    assert_eq!(world.fleet.installation.start().stop().0, Some(0));
    assert_ne!(world.key("active"), worn);
    load.wait_for(REQUESTS, Kind::Yes, &ALL);
    let seen = load.end();
    assert_calm(&seen);
    let unknown = world.passing.unknown(&seen);
    assert!(unknown.is_empty(), "{} times, first {:?}", unknown.len(), unknown[0]);
    let kids: std::collections::BTreeSet<_> = seen
        .iter()
        .filter_map(|each| match &each.told {
            Told::Token { kid, .. } => Some(kid),
            _ => None,
        })
        .collect();
    assert_eq!(kids.len(), 5, "every key has signed");
}

/// The judge is judged: an emergency outranks what resource servers keep, and it sees that.
#[test]
fn a_key_that_must_sign_at_once_is_seen_to_surprise() {
    let world = World::new();
    let load = world.load();
    for state in ["announced", "active"] {
        let path = format!("/keys/qa/{}/revoke", world.key(state));
        world.fleet.admin.act(&path);
    }
    load.wait_for(REQUESTS, Kind::Yes, &ALL);
    let seen = load.end();
    assert_calm(&seen);
    assert!(!world.passing.unknown(&seen).is_empty());
}
