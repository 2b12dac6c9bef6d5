//! Standing up, or refusing to in one sentence; lying down without breaking anything off, or at once when told twice.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::on_both_stores;
use crate::support::calls::{Caller, Credentials};
use crate::support::server::{Installation, PATIENCE, Server, Signal, write_private};
use crate::support::wire::Wire;

on_both_stores! {
    a_running_request_is_finished_and_last_uses_are_kept
    a_second_signal_ends_it_at_once
    the_deadline_ends_it
    another_master_key_is_refused_in_one_sentence
}

pub(super) const BODY: &str = "grant_type=client_credentials";

/// A token request of which the server has read the head and half the body: ten octets.
pub(super) fn half_a_token_request(server: &Server, client: &Credentials) -> Wire {
    let mut wire = Wire::open(server.public());
    let head = format!(
        "POST /qa/token HTTP/1.1\r\nHost: auth\r\nAuthorization: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        client.basic(),
        BODY.len(),
    );
    assert!(wire.send(head.as_bytes()));
    // So the server is at it when the signal comes.
    assert!(wire.head().starts_with("HTTP/1.1 100 "));
    assert!(wire.send(&BODY.as_bytes()[..10]));
    wire
}

fn a_running_request_is_finished_and_last_uses_are_kept(installation: Installation) {
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let client = admin.client("qa");
    let secrets = format!("/clients/{}/secrets", client.client_id);
    assert_eq!(admin.list(&secrets)[0]["last_used_at"], Value::Null);

    let mut running = half_a_token_request(&server, &client);
    server.signal(Signal::Terminate);
    server.log().wait_for("stopping");
    let ready = Caller::new().get(&server.admin_url("/readyz"));
    assert_eq!(ready.status, 503, "{}", ready.text);
    assert_eq!(ready.json()["checks"]["staying"], false, "{}", ready.text);
    assert!(running.send(&BODY.as_bytes()[10..]));
    let answer = running.answer();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["access_token"].is_string());

    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(!log.contains("cut off"), "{log}");
    let again = installation.start();
    let admin = again.admin(&owner);
    let secret = &admin.list(&secrets)[0];
    assert!(secret["last_used_at"].is_string());
    assert_eq!(secret["last_used_source"], "127.0.0.1");
    let usage = admin.list("/usage");
    assert_eq!(
        (&usage[0]["client_id"], &usage[0]["issued"]),
        (&client.client_id.as_str().into(), &1.into())
    );
}

/// Starts a server with a request that never ends, and tells it to stop.
fn stopping_with_a_request_left(installation: &Installation) -> (Server, Wire, Instant) {
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let running = half_a_token_request(&server, &admin.client("qa"));
    server.signal(Signal::Terminate);
    server.log().wait_for("stopping");
    (server, running, Instant::now())
}

fn assert_cut_off(server: Server, mut running: Wire, why: &str) {
    let (code, log) = server.end();
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains(why), "{log}");
    assert!(!log.contains("does not let go"), "{log}");
    assert!(!String::from_utf8_lossy(&running.everything()).contains("200 OK"));
}

fn a_second_signal_ends_it_at_once(installation: Installation) {
    let installation = installation
        .with("shutdown.deadline", "10m")
        .with("limits.body_timeout", "5m");
    let (server, running, since) = stopping_with_a_request_left(&installation);
    // Not before the listener is closed and the request waited for.
    while TcpStream::connect(server.public()).is_ok() {
        assert!(since.elapsed() < PATIENCE, "the listener stays open");
    }
    server.signal(Signal::Terminate);
    assert_cut_off(server, running, "a second signal");
    assert!(since.elapsed() < PATIENCE);
}

fn the_deadline_ends_it(installation: Installation) {
    let installation = installation
        .with("shutdown.deadline", "1s")
        .with("limits.body_timeout", "5m");
    let (server, running, since) = stopping_with_a_request_left(&installation);
    assert_cut_off(server, running, "the deadline has come");
    assert!(
        since.elapsed() >= Duration::from_millis(900),
        "the deadline was not waited for"
    );
}

/// The one sentence in which a server that did not start said why.
fn refusal(installation: &Installation) -> String {
    let refused = installation.start_refused();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let mut told: Vec<&str> = refused.err.lines().filter(|line| !line.starts_with('{')).collect();
    assert_eq!(told.len(), 1, "{refused:?}");
    told.remove(0)
        .strip_prefix("mintmark: ")
        .expect("it says who speaks")
        .to_owned()
}

fn another_master_key_is_refused_in_one_sentence(installation: Installation) {
    let owner = installation.owner();
    let server = installation.start();
    server.admin(&owner).furnish();
    assert_eq!(server.stop().0, Some(0));
    let key_file = installation.path("master.key");
    let key = std::fs::read(&key_file).unwrap();
    write_private(&key_file, &[0x5a; 32]);
    let sentence = refusal(&installation);
    assert!(sentence.contains("master key"), "{sentence}");
    write_private(&key_file, &key);
    assert_eq!(installation.start().admin(&owner).list("/partners").len(), 1);
}

mod refusing {
    mod sqlite {
        use super::super::refusal;
        use crate::support::calls::Caller;
        use crate::support::server::{Installation, Signal};

        #[test]
        fn a_second_server_on_the_same_file_is_refused_in_one_sentence() {
            let installation = Installation::sqlite();
            let owner = installation.owner();
            let server = installation.start();
            let sentence = refusal(&installation);
            assert!(
                sentence.contains("mintmark.db is in use by another mintmark process"),
                "{sentence}"
            );
            // The verbs that open the file themselves are refused as well, and the first server goes on.
            let verified = installation.run(&["journal", "verify", "--local"]);
            assert_eq!(verified.code, Some(1), "{verified:?}");
            assert!(verified.err.contains("is in use"), "{verified:?}");
            server.admin(&owner).furnish();
        }

        #[test]
        fn plain_http_beyond_loopback_is_refused() {
            let installation = Installation::sqlite().with("listen.public", "0.0.0.0:0");
            let refused = installation.start_refused();
            assert_eq!(refused.code, Some(1), "{refused:?}");
            assert!(
                refused.err.contains("listen.public") && refused.err.contains("plain HTTP beyond this machine"),
                "{refused:?}"
            );
            assert!(
                !installation.path("mintmark.db").exists(),
                "nothing is opened before the settings hold"
            );
        }

        #[test]
        fn an_address_in_use_is_refused_in_one_sentence() {
            let first = Installation::sqlite();
            let server = first.start();
            let address = server.public().to_string();
            let sentence = refusal(&Installation::sqlite().with("listen.public", &address));
            assert!(
                sentence.starts_with(&format!("cannot listen on {address}: ")),
                "{sentence}"
            );
        }

        #[test]
        fn a_hang_up_signal_does_not_end_a_server_without_tls() {
            let installation = Installation::sqlite();
            let server = installation.start();
            server.signal(Signal::HangUp);
            server.log().wait_for("a hang-up signal");
            assert_eq!(Caller::new().get(&server.public_url("/readyz")).status, 200);
            assert_eq!(server.stop().0, Some(0));
        }
    }
}
