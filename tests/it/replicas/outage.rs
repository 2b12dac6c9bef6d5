//! PostgreSQL that goes away and comes back under load, for all replicas or for one: who cannot know refuses, with 503, and knows again
//! without a restart.

use std::time::Instant;

use super::fleet::{ALL, Fleet, OTHERS};
use super::load::{Kind, Observation};
use super::question::Told;
use super::relay::Relay;
use super::subject::Ended;
use crate::support::postgresql::Cluster;
use crate::support::server::Installation;

/// Answers waited for from each replica, between one event and the next.
const REQUESTS: usize = 150;
/// The replica with a network of its own.
const APART: usize = 2;
/// Connections to each replica.
const CONNECTIONS: usize = 4;
/// Refusals for want of PostgreSQL; where it hangs, each takes its time.
const REFUSALS: usize = 8;

/// What is asked and answered between two moments is refused: not one yes, and no no either.
#[track_caller]
fn assert_refused(seen: &[Observation], (from, to): (Instant, Instant), replicas: &[usize]) {
    let mut between = 0;
    for each in seen {
        if replicas.contains(&each.replica) && each.sent > from && each.received < to {
            assert_eq!(each.told, Told::Unavailable, "{each:?}");
            between += 1;
        }
    }
    assert!(between >= REFUSALS, "only {between} were asked");
}

/// Nobody is left without an answer.
#[track_caller]
fn assert_answered(seen: &[Observation]) {
    let lost = seen.iter().find(|each| each.told == Told::Nothing);
    assert!(lost.is_none(), "{lost:?}");
}

fn impatient(installation: Installation) -> Installation {
    installation
        .with("database.timeout", "1s")
        .with("registry.timeout", "500ms")
}

#[test]
fn through_restarts_of_postgresql_under_load_nothing_ended_comes_back() {
    let cluster = Cluster::begin();
    let fleet = Fleet::of(impatient(Installation::on(&cluster.url())));
    let subjects = fleet.subjects();
    let load = fleet.load(&ALL, CONNECTIONS, &subjects);
    load.wait_for(REQUESTS, Kind::Yes, &ALL);
    let restart = || {
        cluster.halt();
        let from = Instant::now();
        load.wait_for(CONNECTIONS + REFUSALS, Kind::Unavailable, &ALL);
        let to = Instant::now();
        cluster.begin_again();
        load.wait_for(REQUESTS, Kind::Known, &ALL);
        (from, to)
    };
    let mut outages = vec![restart()];
    let ended: Vec<Ended> = subjects.iter().map(|each| each.end(&fleet.admin)).collect();
    // What was acknowledged a moment ago survives it.
    outages.push(restart());
    let seen = load.end();
    assert_answered(&seen);
    for outage in outages {
        assert_refused(&seen, outage, &ALL);
    }
    ended.iter().for_each(|ended| ended.assert_held(&seen, &ALL));
}

/// How a network fails.
#[derive(Clone, Copy)]
enum Severance {
    /// Every connection ends.
    Cut,
    /// Every connection stays, and nothing comes.
    Held,
}

fn a_replica_cut_off_refuses(severance: Severance) {
    let cluster = Cluster::begin();
    let relay = Relay::to(&cluster);
    let patience = [("database.timeout", "1s"), ("registry.timeout", "500ms")];
    let fleet = Fleet::with_third_by(Installation::on(&cluster.url()), &relay.url(), &patience);
    let subjects = fleet.subjects();
    let load = fleet.load(&OTHERS, CONNECTIONS, &subjects);
    load.wait_for(REQUESTS, Kind::Yes, &OTHERS);
    match severance {
        Severance::Cut => relay.cut(),
        Severance::Held => relay.hold(),
    }
    let from = Instant::now();
    let ended: Vec<Ended> = subjects.iter().map(|each| each.end(&fleet.admin)).collect();
    load.wait_for(CONNECTIONS + REFUSALS, Kind::Unavailable, &[APART]);
    load.wait_for(REQUESTS, Kind::Known, &[1]);
    let to = Instant::now();
    relay.restore();
    load.wait_for(REQUESTS, Kind::Known, &OTHERS);
    let seen = load.end();
    assert_answered(&seen);
    assert_refused(&seen, (from, to), &[APART]);
    let others = seen.iter().filter(|each| each.replica != APART);
    assert!(others.clone().all(|each| each.told.is_known()), "the other goes on");
    ended.iter().for_each(|ended| ended.assert_held(&seen, &OTHERS));
}

#[test]
fn a_replica_whose_network_is_cut_refuses_and_the_others_go_on() {
    a_replica_cut_off_refuses(Severance::Cut);
}

#[test]
fn a_replica_whose_network_swallows_everything_refuses_and_the_others_go_on() {
    a_replica_cut_off_refuses(Severance::Held);
}
