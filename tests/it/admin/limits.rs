//! Plans of partners, limits of clients, and from where clients may come, in the admin API.

use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// An allowance with every bound.
fn bounded() -> Value {
    json!({ "tokens_per_second": 50, "burst": 100, "tokens_per_day": 100_000, "tokens_per_month": 2_000_000 })
}

fn unbounded() -> Value {
    json!({ "tokens_per_second": null, "burst": null, "tokens_per_day": null, "tokens_per_month": null })
}

fn enforced() -> Value {
    json!({ "quota_mode": "enforce", "partner": bounded(), "client": unbounded() })
}

#[test]
fn a_plan_comes_with_a_partner_is_changed_whole_and_taken_away() {
    let harness = Harness::start();
    let body =
        json!({ "partner_id": "acme", "name": "Acme GmbH", "plan": { "quota_mode": "enforce", "partner": bounded() } });
    let registered = harness.post("/partners", &body).expect(201);
    assert_eq!(registered["plan"], enforced());
    assert_eq!(harness.get("/partners/acme").expect(200), registered);

    let renamed = harness
        .patch("/partners/acme", &json!({ "name": "Acme SE" }))
        .expect(200);
    assert_eq!(renamed["plan"], enforced(), "what is not named stays");

    let plan = json!({ "quota_mode": "observe", "client": { "tokens_per_second": 5 } });
    let changed = harness.patch("/partners/acme", &json!({ "plan": plan })).expect(200);
    let mut five = unbounded();
    five["tokens_per_second"] = json!(5);
    five["burst"] = json!(5);
    assert_eq!(
        changed["plan"],
        json!({ "quota_mode": "observe", "partner": unbounded(), "client": five })
    );

    let freed = harness.patch("/partners/acme", &json!({ "plan": null })).expect(200);
    assert_eq!(freed["plan"], json!(null));
    assert_eq!(harness.get("/partners/acme").expect(200), freed);

    let journal = harness.get("/journal?subject=acme&order=newest_first").expect(200);
    let plans: Vec<Value> = journal["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let detail: Value = serde_json::from_str(row["detail"].as_str().unwrap()).unwrap();
            detail["plan"]["quota_mode"].clone()
        })
        .collect();
    assert_eq!(
        plans,
        [json!(null), json!("observe"), json!("enforce"), json!("enforce")],
        "the journal says what changed"
    );
}

#[test]
fn a_sub_account_shares_its_parents_plan_and_has_none_of_its_own() {
    let harness = Harness::start();
    furnish(&harness);
    let mut sub = json!({ "partner_id": "acme-eu", "name": "Acme EU", "parent": "acme", "plan": enforced() });
    let refused = harness.post("/partners", &sub);
    assert_eq!(refused.faults(400), ["plan"]);
    assert!(refused.text.contains("shares its parent's plan"), "{}", refused.text);
    assert_eq!(harness.get("/partners/acme-eu").problem(404), "not-found");

    sub["plan"] = json!(null);
    assert_eq!(harness.post("/partners", &sub).expect(201)["plan"], json!(null));
    let before = harness.epoch();
    let change = json!({ "plan": enforced() });
    assert_eq!(harness.patch("/partners/acme-eu", &change).faults(400), ["plan"]);
    assert_eq!(harness.epoch(), before);
    assert_eq!(harness.patch("/partners/acme", &change).expect(200)["plan"], enforced());
}

#[test]
fn a_plan_that_is_none_is_refused_by_the_name_of_each_fault() {
    let harness = Harness::start();
    furnish(&harness);
    let before = harness.epoch();
    for (plan, fields) in [
        (json!([]), vec!["plan"]),
        (json!({}), vec!["plan.quota_mode"]),
        (json!({ "quota_mode": "on" }), vec!["plan.quota_mode"]),
        (json!({ "quota_mode": "off", "partner": 5 }), vec!["plan.partner"]),
        (
            json!({ "quota_mode": "off", "partner": { "burst": 5 } }),
            vec!["plan.partner.burst"],
        ),
        (
            json!({ "quota_mode": "off", "client": { "tokens_per_second": 0, "tokens_per_day": 1.5, "tokens_per_year": 1 } }),
            vec![
                "plan.client.tokens_per_second",
                "plan.client.tokens_per_day",
                "plan.client.tokens_per_year",
            ],
        ),
        (
            json!({ "quota_mode": "off", "client": { "tokens_per_second": 1_000_001, "burst": "9",
                "tokens_per_month": 1_000_000_000_001_u64, "tokens_per_day": -1 } }),
            vec![
                "plan.client.tokens_per_second",
                "plan.client.burst",
                "plan.client.tokens_per_day",
                "plan.client.tokens_per_month",
            ],
        ),
    ] {
        let refused = harness.patch("/partners/acme", &json!({ "plan": plan }));
        assert_eq!(refused.faults(400), fields, "{plan}");
    }
    assert_eq!(harness.epoch(), before);
}

#[test]
fn a_client_has_limits_and_sources_of_its_own() {
    let harness = Harness::start();
    furnish(&harness);
    let mut body = warehouse();
    body["limits"] = json!({ "tokens_per_second": 7 });
    body["allowed_sources"] = json!(["2001:db8::/32", "192.0.2.7", "::ffff:192.0.2.7", "10.0.0.0/8"]);
    let client = harness.post("/clients", &body).expect(201)["client"].clone();
    assert_eq!(client["limits"]["burst"], 7);
    assert_eq!(
        client["allowed_sources"],
        json!(["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"])
    );
    let path = format!("/clients/{}", client["client_id"].as_str().unwrap());
    assert_eq!(harness.get(&path).expect(200), client);

    let changed = harness
        .patch(
            &path,
            &json!({ "limits": { "tokens_per_day": 9 }, "allowed_sources": ["198.51.100.0/24"] }),
        )
        .expect(200);
    assert_eq!(changed["limits"]["tokens_per_day"], 9);
    assert_eq!(
        changed["limits"]["tokens_per_second"],
        json!(null),
        "limits change as a whole"
    );
    assert_eq!(changed["allowed_sources"], json!(["198.51.100.0/24"]));

    let freed = harness
        .patch(&path, &json!({ "limits": null, "allowed_sources": null }))
        .expect(200);
    assert_eq!(
        (&freed["limits"], &freed["allowed_sources"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(harness.get(&path).expect(200), freed);
}

#[test]
fn sources_that_are_no_networks_are_refused_by_their_place() {
    let harness = Harness::start();
    furnish(&harness);
    let (client_id, ..) = register(&harness, &warehouse());
    let path = format!("/clients/{client_id}");
    let before = harness.epoch();
    let many: Vec<String> = (0..101).map(|number| format!("10.0.0.{number}")).collect();
    for (sources, field) in [
        (json!([]), "allowed_sources"),
        (json!(many), "allowed_sources"),
        (json!("10.0.0.0/8"), "allowed_sources"),
        (json!(["10.0.0.0/8", "10.0.0.1/8"]), "allowed_sources[1]"),
        (json!(["example.com"]), "allowed_sources[0]"),
    ] {
        let refused = harness.patch(&path, &json!({ "allowed_sources": sources }));
        assert_eq!(refused.faults(400), [field], "{sources}");
    }
    assert_eq!(harness.epoch(), before);
}

#[test]
fn a_resource_server_has_sources_and_no_limits() {
    let harness = Harness::start();
    furnish(&harness);
    let mut body = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "Orders", "contact": "ops@example.com",
        "limits": { "tokens_per_second": 1 }, "allowed_sources": ["192.0.2.0/24"],
    });
    assert_eq!(harness.post("/clients", &body).faults(400), ["limits"]);
    body.as_object_mut().unwrap().remove("limits");
    let client = harness.post("/clients", &body).expect(201)["client"].clone();
    assert_eq!(client["limits"], json!(null));
    assert_eq!(client["allowed_sources"], json!(["192.0.2.0/24"]));
    let path = format!("/clients/{}", client["client_id"].as_str().unwrap());
    let limited = harness.patch(&path, &json!({ "limits": { "tokens_per_second": 1 } }));
    assert_eq!(limited.faults(400), ["limits"]);
}
