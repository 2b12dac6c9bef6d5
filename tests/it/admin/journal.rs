//! `/admin/v1/journal`.

use mintmark::domain::Role;
use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};
use crate::support::asking::REQUEST_ID;

fn rows(harness: &Harness, query: &str) -> Vec<Value> {
    let listed = harness.get(&format!("/journal?limit=200&{query}")).expect(200);
    listed["items"].as_array().unwrap().clone()
}

#[test]
fn every_change_has_a_name_on_it() {
    let harness = Harness::start();
    let body = json!({ "partner_id": "acme", "name": "Acme" });
    harness
        .ask("POST", "/partners")
        .by(Role::Operator)
        .json(&body)
        .send()
        .expect(201);
    let row = rows(&harness, "order=newest_first").remove(0);
    assert_eq!(row["action"], "partner.registered");
    assert_eq!((&row["noun"], &row["subject"]), (&json!("partner"), &json!("acme")));
    assert_eq!(
        (&row["partner_id"], &row["environment"]),
        (&json!("acme"), &json!(null))
    );
    let actor = row["actor"].as_str().unwrap();
    assert!(
        actor.starts_with("operator:") && actor.ends_with("(operator@example.com)"),
        "{actor}"
    );
    assert_eq!(row["request_id"], REQUEST_ID);
    assert_eq!(row["at"], "2027-01-15T08:00:00.000Z");
    let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
    assert_eq!(detail["name"], "Acme");
}

#[test]
fn the_rows_are_a_chain_that_ends_at_the_head() {
    let harness = Harness::start();
    let nothing = Harness::start();
    furnish(&harness);
    let rows = rows(&harness, "");
    let mut previous = json!("0".repeat(64));
    for (place, row) in rows.iter().enumerate() {
        assert_eq!(row["epoch"], place + 1);
        assert_eq!(row["previous_hash"], previous);
        previous = row["hash"].clone();
    }
    let head = harness.get("/journal/head").expect(200);
    assert_eq!((&head["epoch"], &head["hash"]), (&json!(rows.len()), &previous));
    for row in &rows {
        assert_eq!(harness.get(&format!("/journal/{}", row["epoch"])).expect(200), *row);
    }
    assert_eq!(
        harness.get(&format!("/journal/{}", rows.len() + 1)).problem(404),
        "not-found"
    );
    for bad in ["0", "-1", "01", "x", "9223372036854775808"] {
        assert_eq!(harness.get(&format!("/journal/{bad}")).faults(400), ["epoch"], "{bad}");
    }
    // Another installation with other operators has another chain.
    assert_ne!(nothing.get("/journal/head").expect(200)["hash"], head["hash"]);
}

#[test]
fn rows_are_filtered_by_what_they_are_about() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, _, path) = register(&harness, &warehouse());
    harness.act(&format!("{path}/revoke")).expect(200);
    let actions = |query: &str| {
        let action = |row: &Value| row["action"].as_str().unwrap().to_owned();
        rows(&harness, query).iter().map(action).collect::<Vec<_>>()
    };
    assert_eq!(actions("action=client.revoked"), ["client.revoked"]);
    assert_eq!(
        actions(&format!("subject={client_id}")),
        ["client.registered", "client.revoked"]
    );
    assert_eq!(actions("noun=partner"), ["partner.registered"]);
    assert_eq!(
        actions("partner_id=acme"),
        ["partner.registered", "client.registered", "client.revoked"]
    );
    assert_eq!(actions("environment=production"), ["api.registered"]);
    assert_eq!(
        actions("noun=client&order=newest_first"),
        ["client.revoked", "client.registered"]
    );
    assert_eq!(actions("subject=nothing"), [""; 0]);
}

#[test]
fn no_digest_and_no_secret_stands_in_the_journal() {
    let harness = Harness::start();
    furnish(&harness);
    let created = harness.post("/clients", &warehouse()).expect(201);
    harness.tend_keys();
    let text = harness.get("/journal?limit=200").text;
    assert!(!text.contains(created["client_secret"].as_str().unwrap()));
    for word in ["digest", "sealed", "mms_", "mmo_", "public_jwk"] {
        assert!(!text.contains(word), "{word}");
    }
}
