//! Three servers over one PostgreSQL, all busy: a quota is given out to the token, and a server that is killed costs one block.

use std::net::TcpStream;
use std::panic::{catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use mintmark::ambient::{Clock as _, SystemClock};
use mintmark::domain::{Period, Window};
use serde_json::json;

use super::standing::{BODY, half_a_token_request};
use crate::store::Aside;
use crate::support::calls::{Admin, Caller, Credentials};
use crate::support::server::{Installation, PATIENCE, Server, Signal};

const QUOTA: u64 = 1000;
/// How many connections each server is loaded by.
const CONNECTIONS: usize = 4;

/// The servers count by the real date. What happens over midnight in UTC is about two windows, so it happens again, within one.
fn within_a_day(happens: fn()) {
    let begun = today();
    if let Err(fault) = catch_unwind(happens) {
        if today() == begun {
            resume_unwind(fault);
        }
        happens();
    }
}

fn today() -> Window {
    Window::of(Period::Day, SystemClock.now())
}

/// Gives `acme` so many tokens a day.
fn enforce(admin: &Admin, tokens_per_day: u64) {
    let plan = json!({
        "quota_mode": "enforce",
        "partner": { "tokens_per_day": tokens_per_day },
        "client": {},
    });
    admin.patch("/partners/acme", &json!({ "plan": plan })).expect(200);
}

/// Loads `servers` until each connection has been refused so often in a row; how many tokens came. Nothing but 200 and 429 does.
fn load(servers: &[&Server], client: &Credentials, refusals: u32) -> u64 {
    let issued = AtomicU64::new(0);
    thread::scope(|scope| {
        for server in servers.iter().flat_map(|server| [server; CONNECTIONS]) {
            scope.spawn(|| {
                let (caller, url) = (Caller::new(), server.public_url("/qa/token"));
                let mut refused = 0;
                while refused < refusals {
                    match caller.token(&url, client).status {
                        200 => {
                            issued.fetch_add(1, Ordering::SeqCst);
                            refused = 0;
                        }
                        429 => refused += 1,
                        other => panic!("{other}"),
                    }
                }
            });
        }
    });
    issued.into_inner()
}

/// What the store counts for `acme` today.
fn drawn(installation: &Installation) -> u64 {
    let lines = Aside::open(installation.url()).lines("SELECT drawn::text AS line FROM quota_meters");
    let [line] = lines.try_into().expect("there is one meter");
    line.parse().unwrap()
}

/// Each of these, within one day.
macro_rules! on_postgresql {
    ($($test:ident)*) => {
        mod postgresql {
            $(#[test]
            fn $test() {
                super::within_a_day(super::$test);
            })*
        }
    };
}
on_postgresql!(
    a_quota_is_given_out_to_the_token_by_three_busy_servers
    a_killed_server_loses_its_block_and_the_next_window_is_whole
    a_server_that_is_stopped_gives_back_what_it_held
    quotas_go_back_before_usage_is_written
    usage_that_is_not_written_in_time_keeps_no_server_from_ending
    a_request_that_is_cut_off_draws_nothing_any_more
);

fn a_quota_is_given_out_to_the_token_by_three_busy_servers() {
    let installation = Installation::postgresql();
    let owner = installation.owner();
    let servers = [installation.start(), installation.start(), installation.start()];
    let admin = servers[0].admin(&owner);
    admin.furnish();
    enforce(&admin, QUOTA);
    let client = admin.client("qa");
    assert_eq!(load(&servers.each_ref(), &client, 50), QUOTA);
    assert_eq!(drawn(&installation), QUOTA);
    let draws: u64 = servers.iter().map(granted).sum();
    assert!(draws < QUOTA / 2, "{draws} draws for {QUOTA} tokens");
    // A raised limit holds at once, everywhere.
    enforce(&admin, QUOTA + 7);
    assert_eq!(load(&servers.each_ref(), &client, 10), 7);
}

fn a_killed_server_loses_its_block_and_the_next_window_is_whole() {
    let installation = Installation::postgresql();
    let owner = installation.owner();
    let servers = [installation.start(), installation.start(), installation.start()];
    let admin = servers[0].admin(&owner);
    admin.furnish();
    enforce(&admin, QUOTA);
    let client = admin.client("qa");
    let [first, second, third] = servers;
    issue_a_hundred(&third, &client);
    let held = drawn(&installation) - 100;
    assert!((1..=QUOTA / 32).contains(&held), "{held}");
    third.kill();
    let rest = load(&[&first, &second], &client, 50);
    assert_eq!(rest, QUOTA - 100 - held, "what was held is lost, and no more");
    // The day is over: its row is of another window now, as it is after midnight.
    Aside::open(installation.url()).execute("UPDATE quota_meters SET window_start = window_start - 86400");
    drop((first, second));
    let next = [installation.start(), installation.start()];
    assert_eq!(load(&next.each_ref(), &client, 50), QUOTA);
}

fn a_server_that_is_stopped_gives_back_what_it_held() {
    let installation = Installation::postgresql();
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    enforce(&admin, QUOTA);
    let client = admin.client("qa");
    issue_a_hundred(&server, &client);
    assert!(drawn(&installation) > 100, "a block is held");
    assert_eq!(server.stop().0, Some(0));
    assert_eq!(drawn(&installation), 100);
}

fn quotas_go_back_before_usage_is_written() {
    let installation = Installation::postgresql().with("database.timeout", "20s");
    let (server, mut locked) = stopped_with_usage_locked(&installation);
    assert!(has_gone_back(&installation), "while usage waits");
    locked.execute("COMMIT");
    assert_eq!(server.end().0, Some(0));
    let written =
        "SELECT sum(requests)::text AS line FROM usage WHERE granularity = 'day' AND broken_down_by = 'scope'";
    assert_eq!(locked.lines(written), ["100"]);
}

fn usage_that_is_not_written_in_time_keeps_no_server_from_ending() {
    let installation = Installation::postgresql()
        .with("database.timeout", "20s")
        .with("shutdown.deadline", "1s");
    let (server, mut locked) = stopped_with_usage_locked(&installation);
    let line = "the deadline has come: what was counted and is not written yet is lost";
    server.log().wait_for(line);
    assert!(has_gone_back(&installation));
    locked.execute("ROLLBACK");
    assert_eq!(server.end().0, Some(0));
}

fn a_request_that_is_cut_off_draws_nothing_any_more() {
    let installation = Installation::postgresql()
        .with("database.timeout", "20s")
        .with("shutdown.deadline", "10m")
        .with("limits.body_timeout", "5m");
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    enforce(&admin, QUOTA);
    let client = admin.client("qa");
    let mut locked = lock_usage(&installation);
    issue_a_hundred(&server, &client);
    let mut running = half_a_token_request(&server, &client);
    server.signal(Signal::Terminate);
    let since = Instant::now();
    while TcpStream::connect(server.public()).is_ok() {
        assert!(since.elapsed() < PATIENCE, "the listener stays open");
    }
    server.signal(Signal::Terminate);
    assert!(has_gone_back(&installation), "while usage waits");
    // The rest comes when everything has been given back and the server still stands.
    running.send(&BODY.as_bytes()[10..]);
    assert_eq!(String::from_utf8_lossy(&running.everything()), "");
    assert_eq!(drawn(&installation), 100);
    locked.execute("COMMIT");
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("a second signal: running requests are cut off"), "{log}");
    assert!(!log.contains("does not let go"), "{log}");
}

/// Keeps every server from writing usage.
fn lock_usage(installation: &Installation) -> Aside {
    let mut locked = Aside::open(installation.url());
    locked.execute("BEGIN; LOCK TABLE usage IN ACCESS EXCLUSIVE MODE");
    locked
}

fn issue_a_hundred(server: &Server, client: &Credentials) {
    let (caller, url) = (Caller::new(), server.public_url("/qa/token"));
    for _ in 0..100 {
        caller.token(&url, client).issued();
    }
}

/// A server that has issued 100 tokens and is asked to stop, and who keeps it from writing usage.
fn stopped_with_usage_locked(installation: &Installation) -> (Server, Aside) {
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    enforce(&admin, QUOTA);
    let client = admin.client("qa");
    let locked = lock_usage(installation);
    issue_a_hundred(&server, &client);
    assert!(drawn(installation) > 100, "a block is held");
    server.signal(Signal::Terminate);
    (server, locked)
}

/// Whether what was held goes back in time.
fn has_gone_back(installation: &Installation) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE / 2 {
        if drawn(installation) == 100 {
            return true;
        }
        thread::yield_now();
    }
    false
}

/// How many draws brought tokens to this server.
fn granted(server: &Server) -> u64 {
    let metrics = Caller::new().get(&server.admin_url("/metrics")).text;
    let series = "mintmark_quota_draws_total{result=\"granted\"} ";
    let value = metrics.lines().find_map(|line| line.strip_prefix(series));
    value.expect("it is counted").parse().unwrap()
}
