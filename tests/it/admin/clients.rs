//! `/admin/v1/clients`.

use mintmark::domain::{Environment, Secret, SecretKind};
use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish, register, warehouse};

fn with(mut body: Value, more: &Value) -> Value {
    let members = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(members);
    body
}

#[test]
fn a_client_is_registered_with_a_secret_that_is_shown_once() {
    let harness = Harness::start();
    furnish(&harness);
    let registered = harness.post("/clients", &warehouse());
    let created = registered.expect(201);
    let client = &created["client"];
    let client_id = client["client_id"].as_str().unwrap();
    assert!(
        client_id.starts_with("qa-acme-") && client_id.len() <= 64,
        "{client_id}"
    );
    assert_eq!(registered.header("Location"), format!("/admin/v1/clients/{client_id}"));
    assert_eq!(client["access_level"], "full");
    assert_eq!(client["allowed_apis"], json!(null));
    assert_eq!(client["token_endpoint_auth_method"], "any");
    let text = created["client_secret"].as_str().unwrap();
    let secret = Secret::recognise(text).unwrap();
    assert_eq!(secret.kind(), SecretKind::Client(Environment::Qa));
    assert_eq!(created["secret"]["hint"], text[text.len() - 4..]);
    let by = created["secret"]["created_by"].as_str().unwrap();
    assert!(
        by.starts_with("operator:") && by.ends_with("(owner@example.com)"),
        "{by}"
    );

    let shown = harness.get(&format!("/clients/{client_id}"));
    assert_eq!(shown.expect(200), *client);
    let everywhere = [
        shown,
        harness.get("/clients"),
        harness.get(&format!("/clients/{client_id}/secrets")),
        harness.get("/journal"),
    ];
    assert!(everywhere.iter().all(|answer| !answer.text.contains(text)));
}

#[test]
fn a_production_client_and_a_resource_server_say_so_in_their_ids() {
    let harness = Harness::start();
    furnish(&harness);
    let live = with(warehouse(), &json!({ "environment": "production" }));
    assert!(register(&harness, &live).0.starts_with("live-acme-"));
    let body = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "Orders", "contact": "ops@example.com",
    });
    let created = harness.post("/clients", &body).expect(201);
    assert!(
        created["client"]["client_id"]
            .as_str()
            .unwrap()
            .starts_with("qa-orders-")
    );
    assert_eq!(created["client"]["api_id"], "orders");
    assert!(created["client"].get("access_level").is_none());
}

#[test]
fn the_longest_words_make_an_id_of_64_characters_at_most() {
    let harness = Harness::start();
    let partner_id = "p".repeat(40);
    harness
        .post("/partners", &json!({ "partner_id": partner_id, "name": "P" }))
        .expect(201);
    let body = with(
        warehouse(),
        &json!({ "partner_id": partner_id, "environment": "production" }),
    );
    let (client_id, _, path) = register(&harness, &body);
    assert_eq!(client_id.len(), "live-".len() + 40 + 1 + 10);
    harness.get(&path).expect(200);
}

#[test]
fn what_a_client_names_must_exist_in_its_environment() {
    let harness = Harness::start();
    furnish(&harness);
    let qa_only = json!({
        "environment": "qa", "api_id": "stock", "name": "Stock", "audience": "urn:stock", "scopes": ["stock:read"],
    });
    harness.post("/apis", &qa_only).expect(201);
    let before = harness.epoch();
    let refused = |more: Value| harness.post("/clients", &with(warehouse(), &more)).faults(400);
    assert_eq!(refused(json!({ "partner_id": "nobody" })), ["partner_id"]);
    assert_eq!(
        refused(json!({ "allowed_apis": ["orders", "nothing"] })),
        ["allowed_apis"]
    );
    assert_eq!(
        refused(json!({ "environment": "production", "allowed_apis": ["stock"] })),
        ["allowed_apis"]
    );
    let fine = |scope: &str| json!({ "access_level": "fine_grained", "scope": [scope] });
    assert_eq!(refused(fine("orders:delete")), ["scope"]);
    assert_eq!(
        refused(with(fine("stock:read"), &json!({ "environment": "production" }))),
        ["scope"]
    );
    assert_eq!(refused(json!({ "expires_at": "2027-01-15T08:00:00Z" })), ["expires_at"]);
    let no_api = json!({
        "kind": "resource_server", "environment": "production", "api_id": "stock", "name": "S", "contact": "a@b.example",
    });
    assert_eq!(harness.post("/clients", &no_api).faults(400), ["api_id"]);
    assert_eq!(harness.epoch(), before);
    harness
        .post("/clients", &with(warehouse(), &fine("stock:read")))
        .expect(201);
}

#[test]
fn members_of_one_kind_are_refused_for_the_other() {
    let harness = Harness::start();
    furnish(&harness);
    let refused = |body: Value| harness.post("/clients", &body).faults(400);
    assert_eq!(refused(with(warehouse(), &json!({ "api_id": "orders" }))), ["api_id"]);
    assert_eq!(
        refused(with(warehouse(), &json!({ "scope": ["orders:read"] }))),
        ["scope"]
    );
    assert_eq!(
        refused(with(warehouse(), &json!({ "access_level": "fine_grained" }))),
        ["scope"]
    );
    let server = with(
        warehouse(),
        &json!({ "kind": "resource_server", "api_id": "orders", "scope": [], "allowed_apis": null, "token_lifetime": 60 }),
    );
    let foreign = ["partner_id", "access_level", "scope", "allowed_apis", "token_lifetime"];
    assert_eq!(refused(server), foreign);

    let body = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "O", "contact": "a@b.example",
    });
    let (_, _, path) = register(&harness, &body);
    for (change, field) in [
        (json!({ "access_level": "full" }), "access_level"),
        (json!({ "allowed_apis": [] }), "allowed_apis"),
        (json!({ "token_lifetime": null }), "token_lifetime"),
    ] {
        assert_eq!(harness.patch(&path, &change).faults(400), [field]);
    }
}

#[test]
fn a_client_is_narrowed_widened_and_otherwise_changed() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, _, path) = register(&harness, &warehouse());
    assert_eq!(
        harness.patch(&path, &json!({ "scope": ["orders:read"] })).faults(400),
        ["scope"]
    );
    let narrowed = json!({ "access_level": "fine_grained", "scope": ["orders:read"], "allowed_apis": ["orders"] });
    let client = harness.patch(&path, &narrowed).expect(200);
    assert_eq!(
        (&client["scope"], &client["allowed_apis"]),
        (&json!(["orders:read"]), &json!(["orders"]))
    );
    let client = harness.patch(&path, &json!({ "scope": ["orders:write"] })).expect(200);
    assert_eq!(
        (&client["scope"], &client["access_level"]),
        (&json!(["orders:write"]), &json!("fine_grained"))
    );
    assert_eq!(
        harness.patch(&path, &json!({ "scope": ["nothing"] })).faults(400),
        ["scope"]
    );
    let other = json!({
        "name": "Depot", "contact": "bob@acme.example", "token_endpoint_auth_method": "client_secret_basic",
        "token_lifetime": 900, "expires_at": "2030-01-01T00:00:00Z",
    });
    let client = harness.patch(&path, &other).expect(200);
    for (member, value) in other.as_object().unwrap() {
        assert_eq!(client[member], *value);
    }
    let cleared = json!({ "token_lifetime": null, "expires_at": null, "allowed_apis": null, "access_level": "full" });
    let client = harness.patch(&path, &cleared).expect(200);
    assert_eq!(
        (&client["token_lifetime"], &client["expires_at"]),
        (&json!(null), &json!(null))
    );
    assert_eq!((&client["allowed_apis"], client.get("scope")), (&json!(null), None));
    assert_eq!(harness.get(&path).expect(200), client);
}

#[test]
fn a_name_changes_though_an_api_has_let_a_scope_go() {
    let harness = Harness::start();
    furnish(&harness);
    let fine = json!({ "access_level": "fine_grained", "scope": ["orders:write"] });
    let (_, _, path) = register(&harness, &with(warehouse(), &fine));
    harness
        .patch("/apis/qa/orders", &json!({ "scopes": ["orders:read"] }))
        .expect(200);
    assert_eq!(
        harness.patch(&path, &json!({ "name": "Depot" })).expect(200)["name"],
        "Depot"
    );
}

#[test]
fn revoked_is_final_and_nothing_opens_it_again() {
    let harness = Harness::start();
    furnish(&harness);
    let (_, secret_id, path) = register(&harness, &warehouse());
    assert_eq!(harness.act(&format!("{path}/reinstate")).problem(409), "conflict");
    assert_eq!(
        harness.act(&format!("{path}/suspend")).expect(200)["status"],
        "suspended"
    );
    assert_eq!(harness.act(&format!("{path}/suspend")).problem(409), "conflict");
    assert_eq!(
        harness.act(&format!("{path}/reinstate")).expect(200)["status"],
        "active"
    );
    assert_eq!(harness.act(&format!("{path}/revoke")).expect(200)["status"], "revoked");
    let before = harness.epoch();
    for action in ["suspend", "reinstate", "revoke"] {
        assert_eq!(
            harness.act(&format!("{path}/{action}")).problem(409),
            "conflict",
            "{action}"
        );
    }
    assert_eq!(
        harness.patch(&path, &json!({ "name": "Again" })).problem(409),
        "conflict"
    );
    assert_eq!(harness.patch(&path, &json!({})).problem(409), "conflict");
    assert_eq!(
        harness.post(&format!("{path}/secrets"), &json!({})).problem(409),
        "conflict"
    );
    assert_eq!(harness.epoch(), before);
    harness.act(&format!("{path}/secrets/{secret_id}/retire")).expect(200);
    assert_eq!(harness.get(&path).expect(200)["status"], "revoked");
}

#[test]
fn lists_are_filtered() {
    let harness = Harness::start();
    furnish(&harness);
    let (qa, _, _) = register(&harness, &warehouse());
    let (live, _, path) = register(&harness, &with(warehouse(), &json!({ "environment": "production" })));
    let server = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "O", "contact": "a@b.example",
    });
    let (resource_server, _, _) = register(&harness, &server);
    harness.act(&format!("{path}/suspend")).expect(200);
    let ids = |query: &str| {
        let listed = harness.get(&format!("/clients?{query}")).expect(200);
        let id = |client: &Value| client["client_id"].as_str().unwrap().to_owned();
        listed["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>()
    };
    let in_order = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    assert_eq!(
        ids(""),
        in_order(vec![qa.clone(), live.clone(), resource_server.clone()])
    );
    assert_eq!(ids("partner_id=acme&environment=qa"), std::slice::from_ref(&qa));
    assert_eq!(ids("search=WAREhouse"), in_order(vec![qa.clone(), live.clone()]));
    assert_eq!(ids("search=ada%40acme&environment=qa"), std::slice::from_ref(&qa));
    assert_eq!(ids("search=live-"), std::slice::from_ref(&live));
    assert_eq!(ids("search=%25"), [""; 0]);
    assert_eq!(ids("status=suspended"), [live]);
    assert_eq!(ids("api_id=orders"), [resource_server]);
    assert_eq!(ids("partner_id=nobody"), [""; 0]);
}
