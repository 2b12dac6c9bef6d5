//! Servers that are not what they should be: what they send is bounded, made harmless, and never followed elsewhere.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::{self, JoinHandle};

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{Secret, SecretKind};
use serde_json::{Value, json};

use super::{Called, call};

/// Answers each connection with the next of these texts, and gives back the requests it read.
struct Script {
    url: String,
    server: JoinHandle<Vec<String>>,
}

impl Script {
    fn new(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut requests = Vec::new();
            for answer in answers {
                let (mut connection, _) = listener.accept().unwrap();
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
                    head.push(byte[0]);
                }
                requests.push(String::from_utf8(head).unwrap());
                // A client that has read enough may have gone.
                drop(connection.write_all(answer.as_bytes()));
            }
            requests
        });
        Self { url, server }
    }

    /// Calls a verb with an operator's token against this server.
    fn call(&self, arguments: &[&str]) -> Called {
        let token = Secret::mint(SecretKind::Operator, &SystemEntropy::new());
        let variables = [
            ("MINTMARK_SERVER", self.url.as_str()),
            ("MINTMARK_OPERATOR_TOKEN", token.expose()),
        ];
        let called = call(arguments, &variables);
        assert!(
            !format!("{called:?}").contains(token.expose()),
            "the token is not shown"
        );
        called
    }

    fn requests(self) -> Vec<String> {
        self.server.join().unwrap()
    }
}

fn answer(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn page(items: &[Value]) -> String {
    answer("200 OK", &json!({ "items": items }).to_string())
}

/// Clears the screen, turns text around, breaks a line.
const HOSTILE: &str = "\u{1b}[2Jacme\u{9b}\u{202e}\nmintmark: done";

fn is_harmless(called: &Called) {
    for stream in [&called.out, &called.err] {
        assert!(
            !stream.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
            "{stream:?}"
        );
        assert!(!stream.lines().any(|line| line == "mintmark: done"), "{stream:?}");
    }
}

#[test]
fn control_characters_reach_no_terminal() {
    let partner = json!({ "partner_id": HOSTILE, "name": HOSTILE, HOSTILE: HOSTILE, "scope_ceiling": [HOSTILE] });
    let problem = json!({ "detail": HOSTILE, "errors": [{ "field": HOSTILE, "reason": HOSTILE }] });
    let script = Script::new(vec![
        page(std::slice::from_ref(&partner)),
        page(std::slice::from_ref(&partner)),
        answer("200 OK", &partner.to_string()),
        answer("409 Conflict", &problem.to_string()),
    ]);
    let table = script.call(&["partner", "list"]).exits(0);
    is_harmless(&table);
    assert!(table.out.contains("\\u{1b}[2Jacme"), "{table:?}");
    let lines = script.call(&["partner", "list", "--json"]).exits(0);
    is_harmless(&lines);
    assert_eq!(lines.json_lines(), [partner]);
    is_harmless(&script.call(&["partner", "show", "acme"]).exits(0));
    is_harmless(&script.call(&["partner", "suspend", "acme"]).exits(1));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let location = format!("http://{}/", elsewhere.local_addr().unwrap());
    let script = Script::new(vec![format!(
        "HTTP/1.1 307 Go\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )]);
    let called = script.call(&["partner", "suspend", "acme"]).exits(1);
    assert!(called.err.contains("the status 307"), "{called:?}");
    assert!(script.requests()[0].starts_with("POST /admin/v1/partners/acme/suspend "));
    assert!(elsewhere.accept().is_err(), "nobody came");
}

#[test]
fn what_is_not_the_admin_api_is_said_to_be_none() {
    for body in ["", "<html>", "{\"items\":", "[]", "{\"items\":{}}"] {
        let script = Script::new(vec![answer("200 OK", body)]);
        let called = script.call(&["partner", "list"]).exits(1);
        assert!(
            called.err.starts_with("mintmark: the answer is not "),
            "{body} {called:?}"
        );
    }
    let script = Script::new(vec!["SSH-2.0-OpenSSH_9.2\r\n".to_owned()]);
    let called = script.call(&["partner", "list"]).exits(5);
    assert!(
        called.err.starts_with("mintmark: no answer from http://127.0.0.1:"),
        "{called:?}"
    );
}

#[test]
fn nobody_there_is_unavailable() {
    let gone = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let token = Secret::mint(SecretKind::Operator, &SystemEntropy::new());
    let server = format!("http://{gone}");
    let called = call(
        &["partner", "list", "--server", &server],
        &[("MINTMARK_OPERATOR_TOKEN", token.expose())],
    )
    .exits(5);
    assert!(called.err.contains(&format!("no answer from {server}")), "{called:?}");
}

#[test]
fn a_token_that_is_none_or_would_travel_in_clear_is_sent_nowhere() {
    let token = Secret::mint(SecretKind::Operator, &SystemEntropy::new());
    let client = Secret::mint(
        SecretKind::Client(mintmark::domain::Environment::Qa),
        &SystemEntropy::new(),
    );
    let list = ["partner", "list", "--server"];
    let local = [&list[..], &["http://127.0.0.1:1"]].concat();
    let damaged = &token.expose()[..token.expose().len() - 1];
    for bad in ["", "hunter2", damaged, client.expose()] {
        let refused = call(&local, &[("MINTMARK_OPERATOR_TOKEN", bad)]).exits(4);
        assert!(bad.is_empty() || !refused.err.contains(bad), "{refused:?}");
    }
    call(&local, &[]).exits(4);
    let far = [&list[..], &["http://auth.example.com:8081"]].concat();
    let refused = call(&far, &[("MINTMARK_OPERATOR_TOKEN", token.expose())]).exits(2);
    assert!(refused.err.contains("plain http would show"), "{refused:?}");
}

#[test]
fn a_cursor_is_carried_on_and_a_limit_kept() {
    let rows =
        |range: std::ops::Range<usize>| -> Vec<_> { range.map(|n| json!({ "partner_id": format!("p{n}") })).collect() };
    let first = json!({ "items": rows(0..200), "next": "a/b c" });
    let script = Script::new(vec![answer("200 OK", &first.to_string()), page(&rows(200..230))]);
    let called = script.call(&["partner", "list", "--json", "--limit", "210"]).exits(0);
    assert_eq!(called.json_lines().len(), 210);
    let requests = script.requests();
    assert!(
        requests[0].starts_with("GET /admin/v1/partners?limit=200 "),
        "{requests:?}"
    );
    assert!(
        requests[1].starts_with("GET /admin/v1/partners?limit=10&cursor=a%2Fb+c "),
        "{requests:?}"
    );
}

#[test]
fn a_chain_that_a_server_made_up_is_named() {
    let row = json!({
        "epoch": 1, "at": "2026-01-01T00:00:00.000Z", "actor": "server", "action": "key.activated", "noun": "key",
        "subject": "k", "partner_id": null, "environment": "qa", "detail": "{}", "request_id": null,
        "previous_hash": "0".repeat(64), "hash": "a".repeat(64),
    });
    let head = answer("200 OK", &json!({ "epoch": 1, "hash": "a".repeat(64) }).to_string());
    let mut strange = row.clone();
    strange["action"] = json!("key.\u{1b}stolen");
    for (rows, says) in [
        (page(&[row]), "epoch 1 was altered"),
        (
            page(&[strange]),
            "epoch 1 is no row that this program could have written",
        ),
        (page(&[]), "ends at epoch 0, but the head stands at epoch 1"),
    ] {
        let script = Script::new(vec![head.clone(), rows]);
        let called = script.call(&["journal", "verify"]).exits(1);
        assert!(called.err.contains(says), "{says} {called:?}");
    }
}
