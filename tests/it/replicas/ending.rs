//! What one replica has ended, the other two refuse from the moment the answer is sent, whatever they are asked meanwhile.

use super::fleet::{Fleet, OTHERS};
use super::load::Kind;
use super::subject::{Ending, assert_calm};

/// Requests for the one client on each of the other two replicas.
const REQUESTS: usize = 10_000;
/// The same where several things are ended one after the other.
const FEWER: usize = 1_000;

#[test]
fn after_a_revocation_ten_thousand_requests_on_each_replica_bring_not_one_yes() {
    let fleet = Fleet::start();
    let subjects = [fleet.subject(0, Ending::ClientRevoked)];
    let load = fleet.load(&OTHERS, 4, &subjects);
    load.wait_for(REQUESTS / 2, Kind::Known, &OTHERS);
    let ended = subjects[0].end(&fleet.admin);
    load.wait_for(REQUESTS / 2, Kind::Known, &OTHERS);
    let seen = load.end();
    assert_calm(&seen);
    ended.assert_held(&seen, &OTHERS);
    for replica in OTHERS {
        assert!(seen.iter().filter(|each| each.replica == replica).count() >= REQUESTS);
    }
}

#[test]
fn whatever_is_ended_is_refused_everywhere_at_once() {
    let fleet = Fleet::start();
    let subjects = fleet.subjects();
    let load = fleet.load(&OTHERS, 4, &subjects);
    load.wait_for(FEWER, Kind::Known, &OTHERS);
    let ended: Vec<_> = subjects
        .iter()
        .map(|subject| {
            let ended = subject.end(&fleet.admin);
            load.wait_for(FEWER / 10, Kind::Known, &OTHERS);
            ended
        })
        .collect();
    load.wait_for(FEWER, Kind::Known, &OTHERS);
    let seen = load.end();
    assert_calm(&seen);
    ended.iter().for_each(|ended| ended.assert_held(&seen, &OTHERS));
}
