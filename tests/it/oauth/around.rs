//! HTTP around the OAuth endpoints: health, paths, methods, other origins.

use std::sync::Arc;

use mintmark::domain::Environment::{Production, Qa};
use mintmark::store::Sharing;

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan};

#[test]
fn htp_06_health_says_yes_or_no_and_tells_strangers_no_more() {
    let store = FaultyStore::new(Sharing::Shared);
    let installation = Plan {
        store: Arc::new(store.clone()),
        ..Plan::default()
    }
    .start();
    let told = |path: &str| {
        let answer = installation.get(path);
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        (answer.status, answer.text().to_owned())
    };
    let ready = || (200, r#"{"status":"ready"}"#.to_owned());
    let not_ready = || (503, r#"{"status":"not ready"}"#.to_owned());
    assert_eq!(told("/readyz"), ready());
    store.set(Fault::Unreadable);
    assert_eq!(told("/readyz"), not_ready());
    assert_eq!(
        told("/livez"),
        (200, r#"{"status":"live"}"#.to_owned()),
        "the process is well, the store is not"
    );
    store.set(Fault::Nothing);
    assert_eq!(told("/readyz"), ready());
    installation.revoke_key(Production);
    assert_eq!(told("/readyz"), not_ready(), "nothing can be signed for production");
}

#[test]
fn a_replica_that_cannot_follow_any_more_asks_to_be_started_again() {
    let store = FaultyStore::new(Sharing::Shared);
    let installation = Plan {
        store: Arc::new(store.clone()),
        ..Plan::default()
    }
    .start();
    let told = |path: &str| {
        let answer = installation.get(path);
        (answer.status, answer.text().to_owned())
    };
    assert_eq!(told("/livez"), (200, r#"{"status":"live"}"#.to_owned()));
    store.set(Fault::Panicking);
    let not_ready = (503, r#"{"status":"not ready"}"#.to_owned());
    assert_eq!(told("/readyz"), not_ready);
    store.set(Fault::Nothing);
    assert_eq!(told("/readyz"), not_ready, "it does not come back by itself");
    assert_eq!(told("/livez"), (503, r#"{"status":"dead"}"#.to_owned()));
}

#[test]
fn htp_07_paths_and_methods_that_are_not_there_say_so() {
    let installation = Installation::start();
    for path in [
        "/nowhere",
        "/qa/token/",
        "/QA/token",
        "/staging/token",
        "//qa/token",
        "/qa/../qa/token",
        "/admin/v1/clients",
    ] {
        let answer = installation.request("POST", path).send();
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/problem+json")),
            "{path}"
        );
        assert!(answer.header("x-request-id").is_some());
    }
    for path in ["/livez", "/readyz", "/qa/jwks", "/qa/.well-known/openid-configuration"] {
        let answer = installation.request("DELETE", path).send();
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, HEAD")),
            "{path}"
        );
    }
}

#[test]
fn htp_07_a_request_keeps_its_name_when_the_name_is_sane() {
    let installation = Installation::start();
    let named = |name: &str| {
        let answer = installation.form(Qa, "token").header("X-Request-Id", name).send();
        answer
            .header("x-request-id")
            .expect("every answer has a name")
            .to_owned()
    };
    assert_eq!(named("0af7651916cd43dd"), "0af7651916cd43dd");
    for other in ["short", "with space", "quote\"quote", &"x".repeat(65)] {
        assert_ne!(named(other), other);
    }
}

#[test]
fn htp_09_no_other_origin_is_let_in() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let from =
        |request: crate::support::oauth::Request<'_>| request.header("Origin", "https://evil.example.com").send();
    let answers = [
        from(installation.token(&client)),
        from(installation.request("GET", "/qa/jwks")),
        from(
            installation
                .request("OPTIONS", "/qa/token")
                .header("Access-Control-Request-Method", "POST"),
        ),
    ];
    for answer in answers {
        assert!(
            !answer
                .headers
                .iter()
                .any(|(name, _)| name.starts_with("access-control-")),
            "{:?}",
            answer.headers
        );
    }
}
