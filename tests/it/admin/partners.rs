//! `/admin/v1/partners`.

use serde_json::json;

use crate::support::admin_harness::{Harness, furnish};

#[test]
fn a_partner_is_registered_shown_and_changed() {
    let harness = Harness::start();
    let body = json!({ "partner_id": "acme", "name": "  Acme GmbH ", "scope_ceiling": ["b", "a", "b"] });
    let registered = harness.post("/partners", &body);
    assert_eq!(registered.header("Location"), "/admin/v1/partners/acme");
    let partner = registered.expect(201);
    assert_eq!(partner["name"], "Acme GmbH");
    assert_eq!(partner["scope_ceiling"], json!(["a", "b"]));
    assert_eq!(partner["status"], "active");
    assert_eq!(partner["parent"], json!(null));
    // 1 800 000 000 seconds after 1970.
    assert_eq!(partner["created_at"], "2027-01-15T08:00:00Z");
    assert_eq!(registered.header("ETag"), format!("\"{}\"", partner["version"]));
    assert_eq!(harness.get("/partners/acme").expect(200), partner);

    let changed = harness
        .patch("/partners/acme", &json!({ "scope_ceiling": ["c"] }))
        .expect(200);
    assert_eq!(changed["scope_ceiling"], json!(["c"]));
    assert_eq!(changed["name"], "Acme GmbH");
    assert!(changed["version"].as_i64() > partner["version"].as_i64());
    assert_eq!(harness.get("/partners/acme").expect(200), changed);
}

#[test]
fn a_name_is_given_once() {
    let harness = Harness::start();
    furnish(&harness);
    let before = harness.epoch();
    let again = harness.post("/partners", &json!({ "partner_id": "acme", "name": "Other" }));
    assert_eq!(again.problem(409), "taken");
    assert_eq!(again.faults(409), ["partner_id"]);
    assert_eq!(harness.epoch(), before);
    assert_eq!(harness.get("/partners/acme").expect(200)["name"], "Acme GmbH");
}

#[test]
fn a_parent_exists_and_is_no_sub_account() {
    let harness = Harness::start();
    furnish(&harness);
    let sub = |partner_id: &str, parent: &str| {
        let body = json!({ "partner_id": partner_id, "name": partner_id, "parent": parent });
        harness.post("/partners", &body)
    };
    assert_eq!(sub("acme-eu", "acme").expect(201)["parent"], "acme");
    assert_eq!(sub("acme-fr", "acme-eu").faults(400), ["parent"]);
    assert_eq!(sub("acme-xx", "nobody").faults(400), ["parent"]);
    assert_eq!(sub("itself", "itself").faults(400), ["parent"]);
    let listed = harness.get("/partners?parent=acme").expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_partner_is_found_by_a_part_of_its_name_or_id() {
    let harness = Harness::start();
    furnish(&harness);
    let body = json!({ "partner_id": "emca", "name": "100% Süß" });
    harness.post("/partners", &body).expect(201);
    for (search, found) in [
        ("GMBH", &["acme"][..]),
        ("%20cm%20", &["acme"]),
        ("%25", &["emca"]),
        ("s%C3%BC%C3%9F", &["emca"]),
        ("_", &[]),
        ("m", &["acme", "emca"]),
    ] {
        let list = harness.get(&format!("/partners?search={search}")).expect(200);
        let ids: Vec<_> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|partner| &partner["partner_id"])
            .collect();
        assert_eq!(ids, found, "{search}");
    }
}

#[test]
fn a_partner_is_suspended_and_reinstated_once_each() {
    let harness = Harness::start();
    furnish(&harness);
    assert_eq!(harness.act("/partners/acme/reinstate").problem(409), "conflict");
    assert_eq!(harness.act("/partners/acme/suspend").expect(200)["status"], "suspended");
    assert_eq!(harness.act("/partners/acme/suspend").problem(409), "conflict");
    assert_eq!(
        harness.get("/partners?status=suspended").expect(200)["items"][0]["partner_id"],
        "acme"
    );
    assert_eq!(harness.get("/partners?status=active").expect(200)["items"], json!([]));
    assert_eq!(harness.act("/partners/acme/reinstate").expect(200)["status"], "active");
    for action in ["suspend", "reinstate"] {
        assert_eq!(
            harness.act(&format!("/partners/nobody/{action}")).problem(404),
            "not-found"
        );
    }
}

#[test]
fn a_change_that_changes_nothing_is_not_put_down() {
    let harness = Harness::start();
    furnish(&harness);
    let before = (harness.epoch(), harness.get("/partners/acme").expect(200));
    for nothing in [json!({}), json!({ "name": "Acme GmbH" })] {
        assert_eq!(harness.patch("/partners/acme", &nothing).expect(200), before.1);
    }
    assert_eq!(harness.epoch(), before.0);
    assert_eq!(harness.patch("/partners/nobody", &json!({})).problem(404), "not-found");
}
