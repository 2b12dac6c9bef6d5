//! Keys that rotate under load: no request is lost, and no resource server meets a `kid` it cannot have.

use super::fleet::{ALL, Fleet};
use super::load::{Kind, Load};
use super::passing::{Passing, signed_with};
use super::question::Question;
use super::subject::assert_calm;
use crate::support::server::Installation;

/// Answers waited for from each replica, between one event and the next.
const REQUESTS: usize = 60;
const DAY: u64 = 86_400;

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

    fn rotate(&mut self, load: &Load) {
        self.passing.rotate(&self.fleet.admin);
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
    world.passing.assert_known(&seen);
    assert_eq!(signed_with(&seen).len(), 5, "every key has signed");
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
