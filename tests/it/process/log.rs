//! The log: nothing secret in it whatever is done, nothing forged in it whatever is sent, nothing missing that an operator needs.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mintmark::http::admin::{PREFIX, ROUTES};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};
use ureq::http::Method;

use super::everything::{Secrets, exercise};
use super::on_both_stores;
use crate::store::Aside;
use crate::support::calls::{Caller, Credentials};
use crate::support::server::{Installation, write_private};
use crate::support::wire::exchange;

on_both_stores! {
    no_secret_in_the_log_at_debug_as_json
    no_secret_in_the_log_at_trace_as_text
}

/// An installation whose next signing key has been announced for so long that it may sign, and its owner's token.
fn seasoned(installation: &Installation) -> String {
    let owner = installation.owner();
    assert_eq!(installation.start().stop().0, Some(0));
    Aside::open(installation.url()).execute("UPDATE signing_keys SET announced_at = announced_at - 3600");
    owner
}

/// What is in the files, in every spelling that a careless line might have.
fn note_master_key(secrets: &mut Secrets, installation: &Installation) {
    let key = fs::read(installation.path("master.key")).unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    secrets.note(&hex);
    secrets.note(&hex.to_uppercase());
    secrets.note(STANDARD.encode(&key).trim_end_matches('='));
    secrets.note(&URL_SAFE_NO_PAD.encode(&key));
    secrets.note(&format!("{key:?}"));
    let password = url::Url::parse(installation.url()).ok();
    if let Some(password) = password.as_ref().and_then(url::Url::password) {
        secrets.note(password);
    }
}

fn no_secret_in_the_log_at_debug_as_json(installation: Installation) {
    let log = log_of_everything(installation, "debug", "json");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    // That really everything was done.
    let served: BTreeSet<String> = lines
        .iter()
        .filter(|line| line["message"] == "request" && line["status"].as_u64() < Some(300))
        .map(|line| {
            format!(
                "{} {}",
                line["method"].as_str().unwrap(),
                line["route"].as_str().unwrap()
            )
        })
        .collect();
    for route in ROUTES {
        let name = format!("{} {PREFIX}{}", route.verb.as_str(), route.path);
        assert!(served.contains(&name), "{name} was not served once: {served:?}");
    }
    for endpoint in ["token", "introspect", "revoke"] {
        assert!(
            served.contains(&format!("POST /qa/{endpoint}")),
            "{endpoint}: {served:?}"
        );
    }
}

fn no_secret_in_the_log_at_trace_as_text(installation: Installation) {
    let log = log_of_everything(installation, "trace", "text");
    assert!(
        log.contains("TRACE "),
        "the framework says nothing at trace, so there is nothing to see"
    );
}

fn log_of_everything(installation: Installation, level: &str, format: &str) -> String {
    let installation = installation
        .with("log.level", level)
        .with("log.format", format)
        .with("log.requests", "true");
    let owner = seasoned(&installation);
    let server = installation.start();
    let mut secrets = exercise(&server, &owner, &Caller::new());
    note_master_key(&mut secrets, &installation);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    secrets.assert_absent(&log, "the log");
    log
}

mod over_tls {
    mod sqlite {
        #[test]
        fn no_secret_in_the_log_however_it_is_asked_for() {
            super::super::no_secret_in_the_log_over_tls();
        }
    }
}

fn no_secret_in_the_log_over_tls() {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let installation = Installation::sqlite();
    let (chain, key) = (installation.path("tls.pem"), installation.path("tls.key"));
    fs::write(&chain, cert.pem()).unwrap();
    write_private(&key, signing_key.serialize_pem().as_bytes());
    let installation = installation
        .with("tls.certificate_file", chain.to_str().unwrap())
        .with("tls.key_file", key.to_str().unwrap())
        .with("log.level", "trace")
        .with("log.requests", "true");
    let owner = seasoned(&installation);
    let server = installation.start();
    let caller = Caller::trusting(&cert.pem());
    let mut secrets = exercise(&server, &owner, &caller);
    signing_key
        .serialize_pem()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .for_each(|line| secrets.note(line));

    // By the one client here that would speak HTTP/2, and is not offered it.
    let client = server.admin(&owner).over(caller).client("qa");
    secrets.note(&client.secret);
    secrets.note(&client.basic()["Basic ".len()..]);
    let configuration = format!(
        "url = \"{}\"\nuser = \"{}:{}\"\ncacert = \"{}\"\n",
        server.public_url("/qa/token"),
        client.client_id,
        client.secret,
        chain.display()
    );
    let mut curl = Command::new("curl")
        .args([
            "--silent",
            "--show-error",
            "--http2",
            "--noproxy",
            "*",
            "--data",
            "grant_type=client_credentials",
        ])
        .args(["--write-out", "\n%{http_version} %{http_code}", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("curl is there: run scripts/test.sh, which installs it");
    curl.stdin.take().unwrap().write_all(configuration.as_bytes()).unwrap();
    let answer = String::from_utf8(curl.wait_with_output().unwrap().stdout).unwrap();
    let (body, version_and_status) = answer.rsplit_once('\n').unwrap();
    assert_eq!(version_and_status, "1.1 200", "{answer}");
    let token = serde_json::from_str::<Value>(body).unwrap();
    secrets.note(token["access_token"].as_str().unwrap());

    note_master_key(&mut secrets, &installation);
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    secrets.assert_absent(&log, "the log");
}

/// Control characters, line separators, and marks that turn the direction of text.
fn is_invisible(character: char) -> bool {
    character.is_control() || "\u{2028}\u{2029}\u{200e}\u{200f}\u{202a}\u{202e}\u{2066}\u{2069}".contains(character)
}

mod lines {
    mod sqlite {
        use super::super::*;

        #[test]
        fn what_a_caller_sends_forges_no_line() {
            for format in ["json", "text"] {
                let installation = Installation::sqlite()
                    .with("log.level", "trace")
                    .with("log.format", format)
                    .with("log.requests", "true");
                let server = installation.start();
                let hostile = "x\u{1b}[2J\u{9b}31m\u{202e}\u{2028}{\"level\":\"ERROR\"}";
                for address in [server.public(), server.admin_address()] {
                    for head in [
                        format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: {hostile}\r\n"),
                        format!("GET /livez HTTP/1.1\r\nHost: a\r\nUser-Agent: {hostile}\r\n"),
                        format!("GET /livez HTTP/1.1\r\nHost: {hostile}\r\n"),
                        format!("GET /{hostile} HTTP/1.1\r\nHost: a\r\n"),
                        "GET /%0a%1b%5b2J%e2%80%a8?%0d%0a HTTP/1.1\r\nHost: a\r\n".to_owned(),
                        format!("{hostile} /livez HTTP/1.1\r\nHost: a\r\n"),
                        format!(
                            "POST /qa/token HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nAuthorization: Basic {hostile}\r\n"
                        ),
                        format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {hostile}\r\n"),
                    ] {
                        let answer = exchange(address, format!("{head}Connection: close\r\n\r\n").as_bytes());
                        assert!(
                            !answer.body.windows(2).any(|pair| pair == b"\x1b["),
                            "{}",
                            answer.text()
                        );
                    }
                }
                let (code, log) = server.stop();
                assert_eq!(code, Some(0));
                for line in log.lines() {
                    assert!(!line.chars().any(is_invisible), "{line:?}");
                    if format == "json" {
                        let fields: Value = serde_json::from_str(line).unwrap();
                        let forged = fields["level"] == "ERROR" && fields["target"] != "actix_http::h1::dispatcher";
                        assert!(!forged, "{line}");
                    }
                }
            }
        }

        #[test]
        fn a_stolen_secret_is_told_of_by_name_beside_any_number_of_wrong_ones() {
            let installation = Installation::sqlite().with("limits.failures_per_minute", "1000");
            let owner = installation.owner();
            let server = installation.start();
            let admin = server.admin(&owner);
            admin.furnish();
            let (client, other) = (admin.client("qa"), admin.client("qa"));
            let elsewhere = json!({ "allowed_sources": ["198.51.100.0/24"] });
            admin
                .patch(&format!("/clients/{}", client.client_id), &elsewhere)
                .expect(200);
            let (caller, url) = (Caller::new(), server.public_url("/qa/token"));
            let guess = Credentials {
                client_id: client.client_id.clone(),
                ..other
            };
            (0..100).for_each(|_| drop(caller.token(&url, &guess).expect(401)));
            caller.token(&url, &client).expect(401);
            let line = server
                .log()
                .wait_for("token refused: client authentication failed: the secret is right");
            let line: Value = serde_json::from_str(&line).unwrap();
            assert_eq!(
                (&line["client_id"], &line["partner_id"]),
                (&json!(client.client_id), &json!("acme"))
            );
        }

        #[test]
        fn octets_that_are_no_request_are_nothing_to_an_operator() {
            let server = Installation::sqlite().start();
            let before = server.log().length();
            for octets in [
                "\u{1}\u{2}\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                "GET / HTTP/1.1\r\nbad header\r\n\r\n",
            ] {
                assert_eq!(exchange(server.public(), octets.as_bytes()).status, 400);
            }
            let (_, log) = server.stop();
            let told: Vec<&str> = log.lines().skip(before).collect();
            assert!(told[0].contains("stopping"), "{told:?}");
        }

        /// What the server calls a request that comes with this id.
        fn named(server: &crate::support::server::Server, given: &str) -> String {
            let head = format!("GET /livez HTTP/1.1\r\nHost: a\r\nX-Request-Id: {given}\r\nConnection: close\r\n\r\n");
            let answer = exchange(server.public(), head.as_bytes());
            assert_eq!(answer.status, 200);
            answer.header("x-request-id").expect("every answer is named").to_owned()
        }

        #[test]
        fn a_sane_name_of_a_request_is_kept_and_another_replaced() {
            let installation = Installation::sqlite().with("log.requests", "true");
            let server = installation.start();
            let long = "a".repeat(64);
            for sane in ["trace-12", "7f3a.B_x-2026", long.as_str()] {
                assert_eq!(named(&server, sane), sane);
            }
            let too_long = "a".repeat(65);
            let mut minted = BTreeSet::new();
            for other in [
                "",
                "short-7",
                &too_long,
                "with space 1",
                "percent%0a12",
                "ünicode-1",
                "a/b/c/d/e/f",
            ] {
                let name = named(&server, other);
                assert_ne!(name, other);
                assert_eq!(name.len(), 22, "{name}");
                assert!(minted.insert(name), "the same name twice");
            }
            let (_, log) = server.stop();
            for name in minted {
                assert!(
                    log.contains(&format!("\"request_id\":\"{name}\"")),
                    "{name} is not in the log"
                );
            }
            assert!(!log.contains("short-7") && !log.contains("with space"));
        }

        #[test]
        fn the_name_of_a_change_stands_in_its_line_and_in_the_journal() {
            let installation = Installation::sqlite().with("log.requests", "true");
            let owner = installation.owner();
            let server = installation.start();
            let admin = server.admin(&owner);
            let request = admin
                .request(Method::POST, "/partners")
                .header("content-type", "application/json")
                .header("x-request-id", "change-0001")
                .body(json!({ "partner_id": "acme", "name": "Acme" }).to_string())
                .unwrap();
            let reply = Caller::new().send(request);
            assert_eq!(reply.header("x-request-id"), Some("change-0001"));
            assert_eq!(reply.status, 201);
            let rows = admin.list("/journal?subject=acme");
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0]["request_id"], "change-0001");
            let (_, log) = server.stop();
            let told = log.lines().filter(|line| line.contains("change-0001")).count();
            assert_eq!(told, 1, "{log}");
        }

        #[test]
        fn an_issued_token_has_a_line_only_where_that_was_asked_for() {
            for (asked, expected) in [("false", 0), ("true", 5)] {
                let installation = Installation::sqlite().with("log.requests", asked);
                let owner = installation.owner();
                let server = installation.start();
                let admin = server.admin(&owner);
                admin.furnish();
                let client = admin.client("qa");
                let before = server.log().length();
                for _ in 0..5 {
                    Caller::new().token(&server.public_url("/qa/token"), &client).issued();
                }
                let (_, log) = server.stop();
                let told: Vec<&str> = log
                    .lines()
                    .skip(before)
                    .filter(|line| line.contains("/qa/token"))
                    .collect();
                assert_eq!(told.len(), expected, "{told:?}");
                let more = log.lines().skip(before).filter(|line| !line.contains("/qa/token"));
                assert!(
                    more.clone().all(|line| !line.contains(&client.client_id)),
                    "{:?}",
                    more.collect::<Vec<_>>()
                );
            }
        }

        #[test]
        fn a_refusal_has_a_line_that_names_the_request_and_the_caller() {
            let installation = Installation::sqlite();
            let server = installation.start();
            let caller = Caller::new();
            let request =
                ureq::http::Request::post(server.public_url("/qa/token")).header("x-request-id", "refused-0001");
            caller.send(request.body(String::new()).unwrap());
            let request = ureq::http::Request::get(server.admin_url("/admin/v1/whoami"))
                .header("authorization", "Bearer mmo_nobody")
                .header("x-request-id", "refused-0002");
            caller.send(request.body(String::new()).unwrap()).expect(401);
            for (message, name, level) in [
                ("token refused", "refused-0001", "INFO"),
                ("an operator's token did not count", "refused-0002", "WARN"),
            ] {
                let line: Value = serde_json::from_str(&server.log().wait_for(message)).unwrap();
                assert_eq!(line["request_id"], name, "{line}");
                assert_eq!(line["source"], "127.0.0.1", "{line}");
                assert_eq!(line["level"], level, "{line}");
            }
        }

        #[test]
        fn who_is_refused_is_named_once_it_has_authenticated_and_not_before() {
            let installation = Installation::sqlite();
            let owner = installation.owner();
            let server = installation.start();
            let admin = server.admin(&owner);
            admin.furnish();
            let (client, api) = (admin.client("qa"), admin.resource_server("qa"));
            let elsewhere = admin.client("qa");
            let from = json!({ "allowed_sources": ["192.0.2.0/24"] });
            admin
                .patch(&format!("/clients/{}", elsewhere.client_id), &from)
                .expect(200);
            let guess = Credentials {
                secret: api.secret.clone(),
                ..client.clone()
            };
            let (caller, grant) = (Caller::new(), ("grant_type", "client_credentials"));
            let said = |path: &str, who: &Credentials, form: &[(&str, &str)], message: &str| {
                let answer = caller.form(&server.public_url(path), who, form);
                assert!(answer.status >= 400, "{}", answer.text);
                let line = server.log().wait_for(message);
                let line: Value = serde_json::from_str(&line).unwrap();
                [line["client_id"].clone(), line["partner_id"].clone()]
            };
            let (named, asking) = (json!(client.client_id), json!(api.client_id));
            let stolen = json!(elsewhere.client_id);
            let (partner, nobody) = (json!("acme"), Value::Null);
            let scope = [grant, ("scope", "nobody.has.this")];
            for (path, who, form, message, expected) in [
                (
                    "/qa/token",
                    &client,
                    &scope[..],
                    "token refused: the scope",
                    [&named, &partner],
                ),
                (
                    "/qa/token",
                    &client,
                    &[],
                    "token refused: grant_type",
                    [&named, &partner],
                ),
                (
                    "/qa/token",
                    &elsewhere,
                    &scope,
                    "token refused: client authentication failed: the secret is right",
                    [&stolen, &partner],
                ),
                (
                    "/qa/token",
                    &guess,
                    &scope,
                    "token refused: client authentication failed: the secret is wrong",
                    [&nobody, &nobody],
                ),
                (
                    "/qa/token",
                    &api,
                    &[grant],
                    "token refused: the client may not",
                    [&asking, &nobody],
                ),
                (
                    "/qa/introspect",
                    &client,
                    &[],
                    "introspection refused",
                    [&named, &partner],
                ),
                (
                    "/qa/introspect",
                    &api,
                    &[],
                    "introspection refused: token",
                    [&asking, &nobody],
                ),
                ("/qa/revoke", &client, &[], "revocation refused", [&named, &partner]),
            ] {
                let said = said(path, who, form, message);
                assert_eq!(said.each_ref(), expected, "{path} {message}");
            }
        }
    }
}
