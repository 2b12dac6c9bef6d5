//! `If-Match` on changes, `Idempotency-Key` on creations, and both when two come at once.

use std::sync::Barrier;

use mintmark::domain::Role;
use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};
use crate::support::asking::Answer;

#[test]
fn a_change_needs_if_match_and_an_action_does_not() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, _, client) = register(&harness, &warehouse());
    let me = harness.get("/whoami").expect(200);
    let operator = format!("/operators/{}", me["operator_id"].as_str().unwrap());
    for path in ["/partners/acme", "/apis/qa/orders", &client, &operator] {
        let bare = harness.ask("PATCH", path).json(&json!({})).send();
        assert_eq!(bare.problem(428), "precondition-required", "{path}");
    }
    harness.act(&format!("{client}/suspend")).expect(200);
}

#[test]
fn a_stale_change_or_action_is_412_and_changes_nothing() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, secret_id, client) = register(&harness, &warehouse());
    let stale = |method: &str, path: &str| {
        let before = harness.epoch();
        let answer = harness
            .ask(method, path)
            .header("If-Match", "\"0\", W/\"1\"")
            .json(&json!({}))
            .send();
        assert_eq!(answer.problem(412), "stale", "{path}");
        assert_eq!(harness.epoch(), before);
    };
    stale("PATCH", "/partners/acme");
    stale("PATCH", "/apis/qa/orders");
    stale("PATCH", &client);
    for action in ["suspend", "revoke"] {
        stale("POST", &format!("{client}/{action}"));
    }
    stale("POST", "/partners/acme/suspend");
    stale("POST", &format!("{client}/secrets/{secret_id}/retire"));
    let tag = harness.get(&client).header("ETag").to_owned();
    let fresh = |tag: &str| {
        harness
            .ask("POST", &format!("{client}/suspend"))
            .header("If-Match", tag)
            .send()
    };
    assert_ne!(fresh(&tag).expect(200)["version"].to_string(), tag.trim_matches('"'));
    assert_eq!(
        fresh(&tag).problem(412),
        "stale",
        "the condition is asked before the state"
    );
}

#[test]
fn a_condition_that_is_none_is_refused_by_name() {
    let harness = Harness::start();
    furnish(&harness);
    for bad in ["1", "\"1", "1\"", "\"1\" \"2\"", "**", ""] {
        let answer = harness
            .ask("PATCH", "/partners/acme")
            .header("If-Match", bad)
            .json(&json!({}))
            .send();
        assert_eq!(answer.faults(400), ["If-Match"], "{bad}");
    }
}

#[test]
fn of_two_changes_of_the_same_version_one_wins() {
    let harness = Harness::start();
    furnish(&harness);
    for round in 0..10 {
        let tag = harness.get("/partners/acme").header("ETag").to_owned();
        let barrier = Barrier::new(2);
        let change = |name: String| {
            barrier.wait();
            let ask = harness.ask("PATCH", "/partners/acme").header("If-Match", &tag);
            let answer = ask.json(&json!({ "name": name })).send();
            (answer.status, name)
        };
        let mut outcomes = std::thread::scope(|scope| {
            let one = scope.spawn(|| change(format!("one {round}")));
            let other = scope.spawn(|| change(format!("other {round}")));
            [one.join().unwrap(), other.join().unwrap()]
        });
        outcomes.sort();
        assert_eq!((outcomes[0].0, outcomes[1].0), (200, 412));
        assert_eq!(harness.get("/partners/acme").expect(200)["name"], outcomes[0].1);
    }
}

fn keyed(harness: &Harness, (path, body): (&str, &Value), key: &str) -> Answer {
    harness
        .ask("POST", path)
        .header("Idempotency-Key", key)
        .json(body)
        .send()
}

fn creations(client: &str) -> Vec<(String, Value)> {
    let api = json!({ "environment": "qa", "api_id": "stock", "name": "S", "audience": "urn:s", "scopes": ["s"] });
    vec![
        (
            "/partners".to_owned(),
            json!({ "partner_id": "other", "name": "Other" }),
        ),
        ("/apis".to_owned(), api),
        ("/clients".to_owned(), warehouse()),
        (format!("{client}/secrets"), json!({ "note": "second" })),
        (
            "/operators".to_owned(),
            json!({ "email": "ada@example.com", "role": "viewer" }),
        ),
    ]
}

#[test]
fn a_creation_repeated_under_its_key_creates_nothing_twice_and_shows_no_secret() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, _, client) = register(&harness, &warehouse());
    for (place, (path, body)) in creations(&client).iter().enumerate() {
        let key = format!("key-number-{place}");
        let first = keyed(&harness, (path, body), &key);
        let mut expected = first.expect(201);
        let before = harness.epoch();
        let again = keyed(&harness, (path, body), &key);
        for secret in ["client_secret", "token"] {
            expected.as_object_mut().unwrap().remove(secret);
        }
        assert_eq!(again.expect(200), expected, "{path}");
        assert_eq!(again.header("Idempotency-Replayed"), "true");
        assert_eq!(again.header("Location"), first.header("Location"));
        assert_eq!(again.header("ETag"), first.header("ETag"));
        assert_eq!(first.header("Idempotency-Replayed"), "");
        assert_eq!(harness.epoch(), before);
    }
}

#[test]
fn a_key_used_for_another_request_is_422() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, _, client) = register(&harness, &warehouse());
    let all = creations(&client);
    keyed(&harness, (&all[0].0, &all[0].1), "the-same-key").expect(201);
    let before = harness.epoch();
    for (path, body) in &all[1..] {
        assert_eq!(
            keyed(&harness, (path, body), "the-same-key").problem(422),
            "key-reused",
            "{path}"
        );
    }
    let changed = json!({ "partner_id": "third", "name": "Third" });
    assert_eq!(
        keyed(&harness, ("/partners", &changed), "the-same-key").problem(422),
        "key-reused"
    );
    assert_eq!(harness.epoch(), before);
}

#[test]
fn keys_of_two_operators_never_meet_and_a_refused_creation_uses_no_key() {
    let harness = Harness::start();
    furnish(&harness);
    let by = |role: Role, partner_id: &str| {
        let body = json!({ "partner_id": partner_id, "name": "X" });
        let ask = harness
            .ask("POST", "/partners")
            .by(role)
            .header("Idempotency-Key", "the-same-key");
        ask.json(&body).send()
    };
    assert_eq!(by(Role::Owner, "acme").problem(409), "taken");
    by(Role::Owner, "one").expect(201);
    by(Role::Operator, "two").expect(201);
}

#[test]
fn a_key_that_is_none_is_refused_by_name() {
    let harness = Harness::start();
    let before = harness.epoch();
    let body = json!({ "partner_id": "acme", "name": "Acme" });
    for bad in ["", "short", "with space", &"x".repeat(65)] {
        assert_eq!(
            keyed(&harness, ("/partners", &body), bad).faults(400),
            ["Idempotency-Key"],
            "{bad}"
        );
    }
    let twice = harness
        .ask("POST", "/partners")
        .also("Idempotency-Key", "one-good-key")
        .also("Idempotency-Key", "two-good-keys")
        .json(&body)
        .send();
    assert_eq!(twice.faults(400), ["Idempotency-Key"]);
    assert_eq!(harness.epoch(), before);
}

#[test]
fn the_same_creation_sent_many_times_at_once_happens_once() {
    let harness = Harness::start();
    furnish(&harness);
    let before = harness.epoch();
    let barrier = Barrier::new(6);
    let statuses = std::thread::scope(|scope| {
        let send = || {
            barrier.wait();
            keyed(&harness, ("/clients", &warehouse()), "one-and-the-same").status
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(send)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        5,
        "{statuses:?}"
    );
    assert_eq!(harness.epoch(), before.next());
}
