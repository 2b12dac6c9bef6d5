//! `/admin/v1/clients/{client_id}/secrets`.

use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};

fn secrets(harness: &Harness, path: &str) -> Vec<Value> {
    let listed = harness.get(&format!("{path}/secrets")).expect(200);
    listed["items"].as_array().unwrap().clone()
}

#[test]
fn a_rotation_with_overlap_leaves_the_old_secret_its_time() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, first, path) = register(&harness, &warehouse());
    harness.pass(60);
    let body = json!({ "note": "second", "retire_others_at": "2027-01-16T08:00:00Z" });
    let added = harness.post(&format!("{path}/secrets"), &body);
    let location = added.header("Location").to_owned();
    let added = added.expect(201);
    let secret_id = added["secret"]["secret_id"].as_str().unwrap();
    assert_eq!(location, format!("/admin/v1/clients/{client_id}/secrets/{secret_id}"));
    let shown = harness.get(location.strip_prefix("/admin/v1").unwrap());
    assert_eq!(shown.header("ETag"), format!("\"{}\"", added["secret"]["version"]));
    let mut expected = added["secret"].clone();
    expected["safe_to_retire"] = json!(false);
    assert_eq!(shown.expect(200), expected);
    for stranger in [
        format!("{path}/secrets/0000000000000000"),
        format!("/clients/qa-nobody-0000000000/secrets/{secret_id}"),
    ] {
        assert_eq!(harness.get(&stranger).problem(404), "not-found", "{stranger}");
    }
    assert!(added["client_secret"].as_str().unwrap().starts_with("mms_qa_"));
    assert_eq!(added["secret"]["note"], "second");
    assert_eq!(added["secret"]["not_before"], "2027-01-15T08:01:00Z");
    let listed = secrets(&harness, &path);
    assert_eq!(listed.len(), 2);
    assert_eq!(
        (&listed[0]["secret_id"], &listed[0]["expires_at"]),
        (&json!(first), &json!("2027-01-16T08:00:00Z"))
    );
    assert_eq!(
        listed[0]["version"], listed[1]["version"],
        "both changed in one mutation"
    );
    assert_eq!(listed[1]["expires_at"], json!(null));
}

#[test]
fn retiring_the_others_spares_those_that_end_sooner_or_have_ended() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, first, path) = register(&harness, &warehouse());
    let list = format!("{path}/secrets");
    let sooner = json!({ "expires_at": "2027-01-15T09:00:00Z" });
    harness.post(&list, &sooner).expect(201);
    harness.act(&format!("{list}/{first}/retire")).expect(200);
    harness.post(&list, &json!({})).expect(201);
    harness
        .post(&list, &json!({ "retire_others_at": "2027-01-15T10:00:00Z" }))
        .expect(201);
    let ends: Vec<Value> = secrets(&harness, &path)
        .iter()
        .map(|secret| secret["expires_at"].clone())
        .collect();
    let expected = json!([
        "2027-01-15T08:00:00Z",
        "2027-01-15T09:00:00Z",
        "2027-01-15T10:00:00Z",
        null
    ]);
    assert_eq!(json!(ends), expected);
}

#[test]
fn a_secret_is_retired_now_or_later_and_never_lives_longer_by_it() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, first, path) = register(&harness, &warehouse());
    let retire = format!("{path}/secrets/{first}/retire");
    let later = harness.post(&retire, &json!({ "at": "2027-01-15T09:00:00Z" }));
    assert_eq!(later.expect(200)["expires_at"], "2027-01-15T09:00:00Z");
    assert_eq!(
        harness
            .post(&retire, &json!({ "at": "2027-01-15T10:00:00Z" }))
            .faults(400),
        ["at"]
    );
    harness.pass(10);
    let past = harness
        .post(&retire, &json!({ "at": "2020-01-01T00:00:00Z" }))
        .expect(200);
    assert_eq!(past["expires_at"], "2027-01-15T08:00:10Z", "a time gone by means now");
    assert_eq!(harness.act(&retire).problem(409), "conflict");
    assert_eq!(
        harness
            .act(&format!("{path}/secrets/0000000000000000/retire"))
            .problem(404),
        "not-found"
    );
    let (_, other, _) = register(&harness, &warehouse());
    let foreign = harness.act(&format!("/clients/{client_id}/secrets/{other}/retire"));
    assert_eq!(
        foreign.problem(404),
        "not-found",
        "another client's secret is none of this one's"
    );
}

#[test]
fn a_client_has_five_secrets_that_have_not_ended() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, first, path) = register(&harness, &warehouse());
    let list = format!("{path}/secrets");
    for _ in 0..4 {
        harness.ask("POST", &list).send().expect(201);
    }
    let before = harness.epoch();
    assert_eq!(harness.post(&list, &json!({})).problem(409), "conflict");
    let later = json!({ "retire_others_at": "2027-01-16T08:00:00Z" });
    assert_eq!(
        harness.post(&list, &later).problem(409),
        "conflict",
        "those that end later live still"
    );
    assert_eq!(harness.epoch(), before);
    harness.act(&format!("{list}/{first}/retire")).expect(200);
    harness.post(&list, &json!({})).expect(201);
    let now = json!({ "retire_others_at": "2027-01-15T08:00:00Z" });
    harness.post(&list, &now).expect(201);
    let live = secrets(&harness, &path)
        .iter()
        .filter(|secret| secret["expires_at"].is_null())
        .count();
    assert_eq!(live, 1);
}

#[test]
fn a_window_is_not_empty() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, _, path) = register(&harness, &warehouse());
    let list = format!("{path}/secrets");
    for window in [
        json!({ "expires_at": "2027-01-15T08:00:00Z" }),
        json!({ "not_before": "2028-01-01T00:00:00Z", "expires_at": "2028-01-01T00:00:00Z" }),
    ] {
        assert_eq!(harness.post(&list, &window).faults(400), ["expires_at"], "{window}");
    }
    let window = json!({ "not_before": "2028-01-01T00:00:00+01:00", "expires_at": "2028-01-01T00:00:00Z" });
    assert_eq!(
        harness.post(&list, &window).expect(201)["secret"]["not_before"],
        "2027-12-31T23:00:00Z"
    );
    assert_eq!(
        harness.get("/clients/qa-nobody-0000000000/secrets").problem(404),
        "not-found"
    );
    assert_eq!(
        harness
            .post("/clients/qa-nobody-0000000000/secrets", &json!({}))
            .problem(404),
        "not-found"
    );
}
