//! The same story on every store: what the office decides, each of them keeps, refuses and finds again alike.

use std::sync::Barrier;

use mintmark::domain::Role;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use crate::store::places::{Fresh, on_every_fresh_store};
use crate::support::admin_harness::{ANNOUNCED, Harness, furnish, register, warehouse};

fn what_the_office_decides_is_kept_alike(fresh: &Fresh) {
    let harness = Harness::on(fresh.store.clone());
    furnish(&harness);
    names_are_given_once(&harness);
    creations_are_repeatable(&harness);
    secrets_are_rotated(&harness);
    races_have_one_winner(&harness);
    keys_live_and_die(&harness);
    the_journal_has_it_all(&harness);
}

on_every_fresh_store!(what_the_office_decides_is_kept_alike);

fn names_are_given_once(harness: &Harness) {
    let again = harness.post("/partners", &json!({ "partner_id": "acme", "name": "A" }));
    assert_eq!(again.faults(409), ["partner_id"]);
    let mut api = json!({
        "environment": "qa", "api_id": "orders", "name": "O", "audience": "https://qa.example.com/orders", "scopes": [],
    });
    assert_eq!(harness.post("/apis", &api).faults(409), ["api_id"]);
    api["api_id"] = json!("stock");
    assert_eq!(harness.post("/apis", &api).faults(409), ["audience"]);
    let ada = json!({ "email": "ada@example.com", "role": "viewer" });
    let made = harness.post("/operators", &ada).expect(201);
    assert_eq!(harness.post("/operators", &ada).faults(409), ["email"]);
    let path = format!("/operators/{}", made["operator"]["operator_id"].as_str().unwrap());
    harness.act(&format!("{path}/revoke")).expect(200);
    harness.post("/operators", &ada).expect(201);
    let sub = json!({ "partner_id": "acme-eu", "name": "A", "parent": "acme" });
    harness.post("/partners", &sub).expect(201);
    assert_eq!(
        harness.get("/partners?parent=acme").expect(200)["items"][0]["partner_id"],
        "acme-eu"
    );
}

fn creations_are_repeatable(harness: &Harness) {
    let send = |body: &Value| {
        let ask = harness
            .ask("POST", "/clients")
            .header("Idempotency-Key", "one-of-a-kind");
        ask.json(body).send()
    };
    let first = send(&warehouse()).expect(201);
    let again = send(&warehouse()).expect(200);
    assert_eq!(
        (&first["client"], &first["secret"]),
        (&again["client"], &again["secret"])
    );
    assert!(again.get("client_secret").is_none());
    let mut other = warehouse();
    other["name"] = json!("Other");
    assert_eq!(send(&other).problem(422), "key-reused");
}

fn secrets_are_rotated(harness: &Harness) {
    let (_, first, path) = register(harness, &warehouse());
    let list = format!("{path}/secrets");
    // Secrets made in the same second would have no order of their own.
    harness.pass(1);
    let later = json!({ "note": "second", "retire_others_at": "2027-06-01T00:00:00Z" });
    harness.post(&list, &later).expect(201);
    let kept = harness.get(&list).expect(200);
    assert_eq!(kept["items"][0]["secret_id"], first);
    assert_eq!(kept["items"][0]["expires_at"], "2027-06-01T00:00:00Z");
    assert_eq!(kept["items"][1]["note"], "second");
    assert_eq!(kept["items"][0]["version"], kept["items"][1]["version"]);
    harness.act(&format!("{path}/revoke")).expect(200);
    assert_eq!(harness.act(&format!("{path}/reinstate")).problem(409), "conflict");
    assert_eq!(
        harness.get("/clients?status=revoked").expect(200)["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

fn races_have_one_winner(harness: &Harness) {
    let tag = harness.get("/partners/acme").header("ETag").to_owned();
    let barrier = Barrier::new(4);
    let change = |number: i32| {
        barrier.wait();
        let ask = harness.ask("PATCH", "/partners/acme").header("If-Match", &tag);
        (
            ask.json(&json!({ "name": format!("Acme {number}") })).send().status,
            number,
        )
    };
    let change = &change;
    let mut outcomes = std::thread::scope(|scope| {
        let threads = [1, 2, 3, 4].map(|number| scope.spawn(move || change(number)));
        threads.map(|thread| thread.join().unwrap())
    });
    outcomes.sort_unstable();
    assert_eq!(outcomes.map(|(status, _)| status), [200, 412, 412, 412]);
    let winner = format!("Acme {}", outcomes[0].1);
    assert_eq!(harness.get("/partners/acme").expect(200)["name"], winner);
}

fn keys_live_and_die(harness: &Harness) {
    let kid = |state: &str| {
        let keys = harness.get("/keys?environment=qa").expect(200);
        let found = keys["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["state"] == state);
        found.map(|key| key["kid"].as_str().unwrap().to_owned())
    };
    harness.tend_keys();
    let (first, second) = (kid("active").unwrap(), kid("announced").unwrap());
    harness.act(&format!("/keys/qa/{second}/revoke")).expect(200);
    harness.act(&format!("/keys/qa/{first}/revoke")).expect(200);
    assert!(![first, second].contains(&kid("active").unwrap()));
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
    harness.post("/keys/qa/import", &json!({ "pem": pem })).expect(200);
    let imported = kid("announced").unwrap();
    harness.pass(ANNOUNCED);
    harness.act("/keys/qa/rotate").expect(200);
    assert_eq!(kid("active").unwrap(), imported);
    assert!(kid("retiring").is_some());
}

fn the_journal_has_it_all(harness: &Harness) {
    let rows = harness.get("/journal?limit=200").expect(200);
    let rows = rows["items"].as_array().unwrap();
    let mut previous = json!("0".repeat(64));
    for (place, row) in rows.iter().enumerate() {
        assert_eq!((&row["epoch"], &row["previous_hash"]), (&json!(place + 1), &previous));
        previous = row["hash"].clone();
    }
    assert_eq!(harness.get("/journal/head").expect(200)["hash"], previous);
    let last = harness.get("/journal?order=newest_first&limit=1").expect(200);
    assert_eq!(last["items"][0], rows[rows.len() - 1]);
    let refused = harness
        .ask("POST", "/partners")
        .by(Role::Viewer)
        .json(&json!({}))
        .send();
    assert_eq!(refused.problem(403), "forbidden");
    assert_eq!(harness.get("/journal/head").expect(200)["epoch"], rows.len());
}
