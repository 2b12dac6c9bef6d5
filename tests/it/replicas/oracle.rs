//! The judge is judged: where the promise is relaxed on purpose, it sees what it is there to see.

use std::time::Instant;

use super::fleet::{Fleet, OTHERS};
use super::load::{Kind, Load};
use super::question::{Asks, Question};
use super::relay::Relay;
use super::subject::{Ending, Subject};
use crate::support::calls::Caller;
use crate::support::postgresql::Cluster;
use crate::support::server::{Installation, PATIENCE};

const REQUESTS: usize = 200;

/// Returns once the third has applied all there is: what it applied later would be forgotten and not remembered.
fn follow(fleet: &Fleet) {
    let line = format!("mintmark_journal_epoch {}", fleet.admin.get("/journal/head")["epoch"]);
    let (metrics, since) = (fleet.servers[2].admin_url("/metrics"), Instant::now());
    while !Caller::new().get(&metrics).text.lines().any(|each| each == line) {
        assert!(since.elapsed() < PATIENCE, "never {line}");
    }
}

#[test]
fn a_replica_that_was_allowed_to_lag_is_caught_lagging() {
    let cluster = Cluster::begin();
    let relay = Relay::to(&cluster);
    let relaxed = [("registry.freshness", "1m")];
    let fleet = Fleet::with_third_by(Installation::on(&cluster.url()), &relay.url(), &relaxed);
    // Whether a token was revoked is asked of the store, and so does not lag but stand.
    let endings = Ending::ALL.into_iter().filter(|ending| *ending != Ending::TokenRevoked);
    let subjects: Vec<Subject> = endings
        .enumerate()
        .map(|(number, ending)| fleet.subject(number, ending))
        .collect();
    let remembered: Vec<Question> = subjects
        .iter()
        .flat_map(Subject::questions)
        .filter(|question| matches!(question.asks, Asks::Token | Asks::KeySet))
        .collect();
    follow(&fleet);
    let load = Load::start(&fleet.addresses(&OTHERS), 2, &remembered);
    load.wait_for(REQUESTS, Kind::Yes, &OTHERS);
    // From here on it can learn nothing, and may go on for a minute.
    relay.hold();
    let ended: Vec<_> = subjects.iter().map(|subject| subject.end(&fleet.admin)).collect();
    load.wait_for(REQUESTS, Kind::Known, &OTHERS);
    let seen = load.end();
    relay.restore();
    for ended in &ended {
        let stale = ended.stale(&seen);
        assert!(!stale.is_empty(), "{:?} is never caught", ended.ending);
        assert!(
            stale.iter().all(|each| each.replica == 2),
            "only the third was allowed to"
        );
    }
}
