//! Replicas that are held up while something ends elsewhere: in the middle of a fill, stopped as a whole, a hundred thousand rows
//! behind.

use std::time::Instant;

use super::fleet::{Fleet, OTHERS};
use super::journal::{advance, register};
use super::load::{Kind, Observation, Sent};
use super::question::Question;
use super::subject::{Ended, Ending, Subject, assert_calm};
use crate::store::Aside;
use crate::support::server::{Installation, PATIENCE, Signal};

/// Answers waited for from each replica, before and after.
const REQUESTS: usize = 300;
/// How many fills may wait for another's turn. That three do happens once in a hundred thousand runs.
const SHARED_TURNS: usize = 2;
/// The replica that is stopped.
const STOPPED: usize = 2;

/// What a fill reads: neither the token nor the key.
fn filled(fleet: &Fleet) -> Vec<Subject> {
    let unread = [Ending::TokenRevoked, Ending::KeyRevoked];
    let endings = Ending::ALL.into_iter().filter(|ending| !unread.contains(ending));
    endings
        .enumerate()
        .map(|(number, ending)| fleet.subject(number, ending))
        .collect()
}

/// Sends each question to each of the other replicas.
fn send(fleet: &Fleet, questions: &[Question]) -> Vec<Sent> {
    let addresses = fleet.addresses(&OTHERS);
    let pairs = addresses
        .iter()
        .flat_map(|address| questions.iter().map(|question| (*address, question)));
    pairs
        .map(|(address, question)| Sent::send(address, question.clone()))
        .collect()
}

fn answers(sent: Vec<Sent>) -> Vec<Observation> {
    sent.into_iter().map(Sent::read).collect()
}

/// Returns once so many statements wait for the table of the APIs.
fn wait_for_held(url: &str, count: usize) {
    let (mut aside, since) = (Aside::open(url), Instant::now());
    let query = format!(
        "SELECT 'held' AS line FROM pg_locks WHERE NOT granted AND relation = 'apis'::regclass HAVING count(*) >= {count}"
    );
    while aside.lines(&query).is_empty() {
        assert!(since.elapsed() < PATIENCE, "never {count} fills held");
    }
}

#[test]
fn a_fill_in_flight_when_something_ends_is_not_kept() {
    let patient = Installation::postgresql()
        .with("database.timeout", "20s")
        .with("registry.timeout", "20s")
        .with("database.pool_size", "32");
    let fleet = Fleet::of(patient);
    let subjects = filled(&fleet);
    for replica in OTHERS {
        subjects.iter().for_each(|each| each.introduce(&fleet.servers[replica]));
    }
    let questions: Vec<Question> = subjects.iter().flat_map(Subject::questions).collect();
    let url = fleet.installation.url();
    // A fill reads the client, its secrets and its partner, and then stands here.
    let mut held = Aside::open(url);
    held.execute("BEGIN; LOCK TABLE apis IN ACCESS EXCLUSIVE MODE");
    let before = send(&fleet, &questions);
    // Each replica reads each client once, whoever else wants it; now and then two clients share a turn, and one waits for the other.
    wait_for_held(url, OTHERS.len() * subjects.len() - SHARED_TURNS);
    let ended: Vec<Ended> = subjects.iter().map(|each| each.end(&fleet.admin)).collect();
    let after = send(&fleet, &questions);
    held.execute("ROLLBACK");
    let mut seen = answers(before);
    seen.extend(answers(after));
    assert_calm(&seen);
    let load = fleet.load(&OTHERS, 2, &subjects);
    load.wait_for(REQUESTS, Kind::Known, &OTHERS);
    let later = load.end();
    assert_calm(&later);
    seen.extend(later);
    ended.iter().for_each(|ended| ended.assert_held(&seen, &OTHERS));
}

#[test]
fn a_replica_stopped_while_something_ends_wakes_up_to_it() {
    let fleet = Fleet::start();
    for round in 0..2 {
        let first = Ending::ALL.len() * round;
        let subjects: Vec<Subject> = Ending::ALL
            .into_iter()
            .enumerate()
            .map(|(number, ending)| fleet.subject(first + number, ending))
            .collect();
        let questions: Vec<Question> = subjects.iter().flat_map(Subject::questions).collect();
        let load = fleet.load(&OTHERS, 4, &subjects);
        load.wait_for(REQUESTS, Kind::Known, &OTHERS);
        // In the middle of whatever it does for four callers.
        fleet.servers[STOPPED].signal(Signal::Stop);
        let ended: Vec<Ended> = subjects.iter().map(|each| each.end(&fleet.admin)).collect();
        let stopped = fleet.addresses(&[STOPPED]).remove(0);
        let waiting: Vec<Sent> = questions.into_iter().map(|each| Sent::send(stopped, each)).collect();
        load.wait_for(REQUESTS / 5, Kind::Known, &[1]);
        fleet.servers[STOPPED].signal(Signal::Continue);
        let mut seen = answers(waiting);
        load.wait_for(REQUESTS, Kind::Known, &OTHERS);
        seen.extend(load.end());
        assert_calm(&seen);
        ended.iter().for_each(|ended| ended.assert_held(&seen, &OTHERS));
    }
}

#[test]
fn a_replica_a_hundred_thousand_rows_behind_answers_nothing_before_it_has_read_them() {
    // Long enough for a slow machine to catch up; where it is not, the answer is 503.
    let fleet = Fleet::of(Installation::postgresql().with("registry.timeout", "1m"));
    register(&fleet.admin);
    let subjects = fleet.subjects();
    let load = fleet.load(&OTHERS, 1, &subjects);
    load.wait_for(REQUESTS, Kind::Known, &OTHERS);
    fleet.servers[STOPPED].signal(Signal::Stop);
    advance(fleet.installation.url(), 50_000);
    let ended: Vec<Ended> = subjects.iter().map(|each| each.end(&fleet.admin)).collect();
    advance(fleet.installation.url(), 50_000);
    fleet.servers[STOPPED].signal(Signal::Continue);
    load.wait_for(REQUESTS, Kind::Known, &OTHERS);
    let seen = load.end();
    ended.iter().for_each(|ended| ended.assert_held(&seen, &OTHERS));
}
