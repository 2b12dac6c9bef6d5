//! Methods, paths, bodies, credentials: what is refused before anybody is asked.

use mintmark::domain::Role;
use mintmark::http::admin::{ROUTES, Verb};
use serde_json::json;

use crate::support::admin_harness::{Harness, furnish};

#[test]
fn a_path_there_is_not_is_404() {
    let harness = Harness::start();
    for path in [
        "",
        "/",
        "/partner",
        "/partners/",
        "/partners/acme/",
        "/partners/acme/delete",
        "/keys/qa",
        "/x/y/z",
    ] {
        assert_eq!(harness.get(path).problem(404), "not-found", "{path}");
        let stranger = harness.ask("POST", path).without("Authorization").send();
        assert_eq!(stranger.problem(404), "not-found", "{path}");
    }
}

#[test]
fn a_method_a_path_does_not_have_is_405_and_names_those_it_has() {
    let harness = Harness::start();
    for route in ROUTES {
        let path = route.path.replace(['{', '}'], "");
        let mut allowed: Vec<&str> = ROUTES
            .iter()
            .filter(|other| other.path == route.path)
            .flat_map(|other| match other.verb {
                Verb::Get => vec!["GET", "HEAD"],
                Verb::Post => vec!["POST"],
                Verb::Patch => vec!["PATCH"],
            })
            .collect();
        for method in ["DELETE", "PUT", "OPTIONS", "GET", "POST", "PATCH"] {
            if allowed.contains(&method) {
                continue;
            }
            let answer = harness.ask(method, &path).send();
            assert_eq!(answer.problem(405), "method-not-allowed", "{method} {path}");
            let mut named: Vec<&str> = answer.header("Allow").split(", ").collect();
            named.sort_unstable();
            allowed.sort_unstable();
            assert_eq!(named, allowed, "{method} {path}");
        }
    }
}

#[test]
fn head_answers_as_get_without_the_body() {
    let harness = Harness::start();
    furnish(&harness);
    let head = harness.ask("HEAD", "/partners/acme").send();
    let get = harness.get("/partners/acme");
    assert_eq!(head.status, 200);
    assert_eq!(head.header("ETag"), get.header("ETag"));
    assert_eq!(harness.ask("HEAD", "/partners/nobody").send().status, 404);
    assert_eq!(
        harness
            .ask("HEAD", "/partners/acme")
            .without("Authorization")
            .send()
            .status,
        401
    );
}

#[test]
fn a_body_longer_than_64_kb_is_413_and_changes_nothing() {
    let harness = Harness::start();
    let before = harness.epoch();
    let name = "x".repeat(70_000);
    let body = json!({ "partner_id": "acme", "name": name });
    assert_eq!(harness.post("/partners", &body).problem(413), "too-large");
    assert_eq!(harness.epoch(), before);
}

#[test]
fn a_body_that_is_not_json_by_its_media_type_is_415() {
    let harness = Harness::start();
    let body = json!({ "partner_id": "acme", "name": "Acme" }).to_string();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
        ";",
    ] {
        let answer = harness.ask("POST", "/partners").raw(media_type, body.clone()).send();
        assert_eq!(answer.problem(415), "unsupported-media-type", "{media_type}");
    }
    let good = "Application/JSON ; charset=utf-8";
    harness.ask("POST", "/partners").raw(good, body).send().expect(201);
    let patch = json!({ "name": "Acme AG" }).to_string();
    let changed = harness
        .ask("PATCH", "/partners/acme")
        .header("If-Match", "*")
        .raw("application/merge-patch+json", patch)
        .send();
    assert_eq!(changed.expect(200)["name"], "Acme AG");
}

#[test]
fn credentials_are_one_bearer_token_and_nothing_else() {
    let harness = Harness::start();
    let token = harness.token(Role::Owner).to_owned();
    let ask = |value: &str| harness.ask("GET", "/whoami").header("Authorization", value).send();
    for good in [format!("bearer {token}"), format!("BEARER   {token}")] {
        ask(&good).expect(200);
    }
    for other in ["Basic YTpi", "Digest x", &token] {
        let answer = ask(other);
        assert_eq!(answer.problem(401), "unauthenticated", "{other}");
        assert!(!answer.header("WWW-Authenticate").contains("error"), "{other}");
    }
    for malformed in ["Bearer", "Bearer  ", &format!("Bearer {token} {token}")] {
        let answer = ask(malformed);
        assert_eq!(answer.problem(400), "invalid-request", "{malformed}");
        assert!(
            answer
                .header("WWW-Authenticate")
                .ends_with(r#"error="invalid_request""#)
        );
    }
    let twice = harness.ask("GET", "/whoami").also("Authorization", "Bearer x").send();
    assert_eq!(twice.problem(400), "invalid-request");
    let in_query = harness
        .ask("GET", &format!("/whoami?access_token={token}"))
        .without("Authorization")
        .send();
    assert_eq!(in_query.problem(401), "unauthenticated");
    let both = harness.get(&format!("/whoami?access_token={token}"));
    assert_eq!(both.faults(400), ["access_token"]);
    assert!(!both.text.contains(&token));
}

#[test]
fn every_byte_of_a_token_counts() {
    let harness = Harness::start();
    let token = harness.token(Role::Owner).to_owned();
    let refused = |token: &str| {
        let answer = harness.ask("GET", "/whoami").with_token(token).send();
        assert_eq!(answer.problem(401), "unauthenticated", "{token}");
    };
    for place in 0..token.len() {
        let flipped = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
        let mut changed = token.clone();
        changed.replace_range(place..=place, flipped);
        refused(&changed);
    }
    refused(&token[..token.len() - 1]);
    refused(&format!("{token}A"));
    harness.ask("GET", "/whoami").with_token(&token).send().expect(200);
}

#[test]
fn failed_authentications_shut_their_own_address_out_and_no_other() {
    let harness = Harness::with_failures(3);
    let from = |peer: &str, token: &str| {
        let ask = harness.ask("GET", "/whoami").header("X-Test-Peer", peer);
        ask.with_token(token).send()
    };
    let viewer = harness.token(Role::Viewer);
    for _ in 0..3 {
        assert_eq!(from("192.0.2.1", "mmo_wrong").status, 401);
    }
    let shut = from("192.0.2.1", "mmo_wrong");
    assert_eq!(shut.problem(429), "too-many-failures");
    // Three a minute recover one in twenty seconds.
    let wait: u64 = shut.header("Retry-After").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(
        from("192.0.2.1", viewer).status,
        429,
        "whether it is right is not looked at: this replica has not seen it"
    );
    from("192.0.2.2", viewer).expect(200);
    let stranger = harness
        .ask("GET", "/whoami")
        .header("X-Test-Peer", "192.0.2.1")
        .without("Authorization")
        .send();
    assert_eq!(stranger.status, 401, "who guesses nothing is told how to authenticate");
}

#[test]
fn an_operator_who_was_here_is_served_beside_those_who_guess() {
    let harness = Harness::with_failures(3);
    let from = |peer: &str, token: &str| {
        let ask = harness.ask("GET", "/whoami").header("X-Test-Peer", peer);
        ask.with_token(token).send()
    };
    let (owner, viewer) = (harness.token(Role::Owner), harness.token(Role::Viewer));
    // Wherever they were here from.
    for token in [owner, viewer] {
        from("198.51.100.1", token).expect(200);
    }
    let viewers_id = from("198.51.100.1", viewer).expect(200)["operator_id"].clone();
    let guess = || from("192.0.2.1", "mmo_wrong").status;
    assert_eq!([guess(), guess(), guess(), guess()], [401, 401, 401, 429]);
    from("192.0.2.1", viewer).expect(200);
    assert_eq!(guess(), 429, "whoever is served gives back nothing to those who guess");
    // What counts is what stands now, and in an emergency what is done.
    let path = format!("/operators/{}/revoke", viewers_id.as_str().unwrap());
    let revoked = harness.ask("POST", &path).header("X-Test-Peer", "192.0.2.1").send();
    revoked.expect(200);
    assert_eq!(from("192.0.2.1", viewer).status, 401, "it is looked at once more");
    assert_eq!(
        from("192.0.2.1", viewer).status,
        429,
        "and then it is a guess like any other"
    );
}
