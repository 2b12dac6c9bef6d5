//! Bad input: every fault named where it is, nothing of what was sent repeated, nothing changed.

use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// Stands in every bad value, and must stand in no answer.
const CANARY: &str = "c4n4ry";

/// Bad values that no field takes.
fn rubbish() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(18_446_744_073_709_551_615_u64),
        json!(""),
        json!(format!("{CANARY}\u{0}")),
        json!(format!("{CANARY}\n\u{202e}")),
        json!(format!("'; DROP TABLE {CANARY}; --")),
        json!(format!("<script>{CANARY}</script>")),
        json!(CANARY.repeat(1000)),
        json!({ CANARY: CANARY }),
        json!([[CANARY]]),
        json!([{ CANARY: [] }]),
    ]
}

/// What each creation and change takes, with a good value for each member.
fn bodies(harness: &Harness) -> Vec<(&'static str, String, Value)> {
    let (_, secret_id, client) = register(harness, &warehouse());
    let operator = harness.get("/whoami").expect(200)["operator_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let server = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "O", "contact": "a@b.example",
    });
    let mut fine = warehouse();
    fine["access_level"] = json!("fine_grained");
    fine["scope"] = json!(["orders:read"]);
    fine["allowed_apis"] = json!(["orders"]);
    fine["token_lifetime"] = json!(300);
    fine["expires_at"] = json!("2030-01-01T00:00:00Z");
    fine["token_endpoint_auth_method"] = json!("any");
    let mut change = fine.clone();
    for fixed in ["kind", "environment", "partner_id"] {
        change.as_object_mut().unwrap().remove(fixed);
    }
    let api = json!({ "environment": "qa", "api_id": "new-api", "name": "A", "audience": "urn:a", "scopes": ["a"] });
    let api_change = json!({ "name": "A", "audience": "urn:a", "scopes": ["a"] });
    let partner = json!({ "partner_id": "new-one", "name": "N", "scope_ceiling": ["a"], "parent": "acme" });
    let secret = json!({
        "note": "n", "not_before": "2028-01-01T00:00:00Z", "expires_at": "2030-01-01T00:00:00Z",
        "retire_others_at": "2029-01-01T00:00:00Z",
    });
    vec![
        ("POST", "/partners".to_owned(), partner),
        (
            "PATCH",
            "/partners/acme".to_owned(),
            json!({ "name": "N", "scope_ceiling": ["a"] }),
        ),
        ("POST", "/apis".to_owned(), api),
        ("PATCH", "/apis/qa/orders".to_owned(), api_change),
        ("POST", "/clients".to_owned(), server),
        ("POST", "/clients".to_owned(), fine),
        ("PATCH", client.clone(), change),
        ("POST", format!("{client}/secrets"), secret),
        (
            "POST",
            format!("{client}/secrets/{secret_id}/retire"),
            json!({ "at": "2029-01-01T00:00:00Z" }),
        ),
        (
            "POST",
            "/operators".to_owned(),
            json!({ "email": "n@example.com", "role": "viewer" }),
        ),
        ("PATCH", format!("/operators/{operator}"), json!({ "role": "owner" })),
        ("POST", "/keys/qa/import".to_owned(), json!({ "pem": "x" })),
    ]
}

/// Members that null takes away, or that mean the same without a value; and texts that have no grammar to break.
fn takes(method: &str, field: &str, value: &Value) -> bool {
    let nullable = match method {
        "PATCH" => ["allowed_apis", "token_lifetime", "expires_at"].contains(&field),
        _ => ["parent", "allowed_apis", "token_lifetime", "expires_at", "note"].contains(&field),
    };
    let plain = value
        .as_str()
        .is_some_and(|text| !text.is_empty() && text.len() <= 100 && !text.contains(char::is_control));
    (value.is_null() && nullable) || (plain && ["name", "note"].contains(&field))
}

#[test]
fn every_bad_value_of_every_member_is_named_and_not_repeated() {
    let harness = Harness::start();
    furnish(&harness);
    let bodies = bodies(&harness);
    let before = harness.epoch();
    let mut tried = 0;
    for (method, path, good) in &bodies {
        for field in good.as_object().unwrap().keys() {
            for bad in rubbish().into_iter().filter(|bad| !takes(method, field, bad)) {
                let mut body = good.clone();
                body[field] = bad.clone();
                let answer = harness.ask(method, path).header("If-Match", "*").json(&body).send();
                let faults = answer.faults(400);
                let named = |fault: &String| fault == field || fault.starts_with(&format!("{field}["));
                assert!(
                    faults.iter().any(named),
                    "{method} {path} {field} = {bad:.80}: {}",
                    answer.text
                );
                assert!(!answer.text.contains(CANARY), "{}", answer.text);
                tried += 1;
            }
        }
    }
    assert!(tried > 400, "{tried}");
    assert_eq!(harness.epoch(), before, "something was changed");
}

#[test]
fn all_faults_of_a_body_are_named_at_once() {
    let harness = Harness::start();
    let body = r#"{"partner_id":"A","name":7,"scope_ceiling":["ok","b d",3],"parent":"","colour":1,"name":8,"size":2}"#;
    let answer = harness.ask("POST", "/partners").raw("application/json", body).send();
    let named = [
        "partner_id",
        "name",
        "scope_ceiling[1]",
        "scope_ceiling[2]",
        "parent",
        "colour",
        "size",
    ];
    assert_eq!(answer.faults(400), named);
}

#[test]
fn unknown_members_are_refused_everywhere() {
    let harness = Harness::start();
    furnish(&harness);
    let bodies = bodies(&harness);
    let before = harness.epoch();
    for (method, path, good) in &bodies {
        let mut body = good.clone();
        body["colour"] = json!(CANARY);
        let answer = harness.ask(method, path).header("If-Match", "*").json(&body).send();
        assert!(
            answer.faults(400).contains(&"colour".to_owned()),
            "{path}: {}",
            answer.text
        );
        assert!(!answer.text.contains(CANARY));
    }
    for action in ["/partners/acme/suspend", "/partners/acme/reinstate", "/keys/qa/rotate"] {
        assert_eq!(
            harness.post(action, &json!({ "colour": 1 })).faults(400),
            ["colour"],
            "{action}"
        );
    }
    assert_eq!(harness.epoch(), before);
}

#[test]
fn missing_members_are_named_and_an_empty_body_is_no_creation() {
    let harness = Harness::start();
    assert_eq!(
        harness.post("/partners", &json!({})).faults(400),
        ["partner_id", "name"]
    );
    let api = ["environment", "api_id", "name", "audience", "scopes"];
    assert_eq!(harness.post("/apis", &json!({})).faults(400), api);
    assert_eq!(
        harness.post("/clients", &json!({})).faults(400),
        ["environment", "name", "contact", "kind"]
    );
    assert_eq!(harness.post("/operators", &json!({})).faults(400), ["email", "role"]);
    assert_eq!(harness.post("/keys/qa/import", &json!({})).faults(400), ["pem"]);
    for path in ["/partners", "/apis", "/clients", "/operators", "/keys/qa/import"] {
        assert_eq!(harness.act(path).problem(400), "invalid-request", "{path}");
    }
}

#[test]
fn what_is_no_json_object_is_refused_with_its_place() {
    let harness = Harness::start();
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    let bodies: [&[u8]; 8] = [
        b"{",
        b"[]",
        b"null",
        b"{\"partner_id\":\"acme\",}",
        b"{\"partner_id\":\"\xff\"}",
        b"\xef\xbb\xbf{}",
        b"partner_id=acme&name=Acme",
        deep.as_bytes(),
    ];
    for body in bodies {
        let answer = harness.ask("POST", "/partners").raw("application/json", body).send();
        assert_eq!(
            answer.problem(400),
            "invalid-request",
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    let answer = harness
        .ask("POST", "/partners")
        .raw("application/json", "{\n  \"a\": }")
        .send();
    assert!(answer.text.contains("line 2, column 8"), "{}", answer.text);
}

#[test]
fn identifiers_in_paths_are_read_into_their_types() {
    let harness = Harness::start();
    furnish(&harness);
    for (path, field) in [
        ("/partners/ACME", "partner_id"),
        ("/partners/a%00b", "partner_id"),
        ("/partners/%2e%2e%2fx", "partner_id"),
        ("/partners/'%20OR%201=1", "partner_id"),
        ("/apis/staging/orders", "environment"),
        ("/apis/qa/ORDERS", "api_id"),
        ("/clients/QA_X", "client_id"),
        ("/clients/%F0%9F%92%A9", "client_id"),
        ("/clients/QA_X/secrets", "client_id"),
        ("/operators/x", "operator_id"),
    ] {
        assert_eq!(harness.get(path).faults(400), [field], "{path}");
    }
    let long = "a".repeat(5000);
    assert_eq!(harness.get(&format!("/partners/{long}")).faults(400), ["partner_id"]);
    assert_eq!(harness.act("/keys/qa/short/revoke").faults(400), ["kid"]);
    assert_eq!(
        harness.act("/clients/qa-x/secrets/short/retire").faults(400),
        ["secret_id"]
    );
    assert_eq!(harness.act("/keys/staging/rotate").faults(400), ["environment"]);
}

#[test]
fn parameters_are_known_stand_once_and_have_good_values() {
    let harness = Harness::start();
    for (path, fields) in [
        ("/partners?status=gone", vec!["status"]),
        ("/partners?parent=X&colour=1", vec!["parent", "colour"]),
        ("/partners?limit=1&limit=2", vec!["limit"]),
        ("/partners?status=", vec!["status"]),
        ("/apis?environment=QA", vec!["environment"]),
        (
            "/clients?environment=x&partner_id=X&api_id=X&status=x&search=%00",
            vec!["environment", "partner_id", "api_id", "status", "search"],
        ),
        ("/partners?search=", vec!["search"]),
        ("/partners?search=%20&status=gone", vec!["status", "search"]),
        (
            "/journal?action=x&noun=x&subject=&partner_id=X&environment=x&order=x",
            vec!["action", "noun", "subject", "partner_id", "environment", "order"],
        ),
        ("/keys?kid=x", vec!["kid"]),
        ("/whoami?x=1", vec!["x"]),
        ("/journal/head?x=1", vec!["x"]),
        ("/operators?role=owner", vec!["role"]),
        ("/partners?%3Cscript%3E=1", vec!["(unnamed)"]),
    ] {
        assert_eq!(harness.get(path).faults(400), fields, "{path}");
    }
    let many: Vec<String> = (0..40).map(|number| format!("p{number}=1")).collect();
    assert_eq!(
        harness.get(&format!("/partners?{}", many.join("&"))).problem(400),
        "invalid-request"
    );
    assert_eq!(harness.post("/partners?x=1", &json!({})).faults(400), ["x"]);
}
