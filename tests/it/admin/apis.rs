//! `/admin/v1/apis`.

use serde_json::{Value, json};

use crate::support::admin_harness::{Harness, furnish};

fn api(environment: &str, api_id: &str, scopes: &Value) -> Value {
    json!({
        "environment": environment,
        "api_id": api_id,
        "name": api_id,
        "audience": format!("https://{api_id}.example.com"),
        "scopes": scopes,
    })
}

#[test]
fn an_api_is_registered_shown_and_changed_in_its_environment() {
    let harness = Harness::start();
    furnish(&harness);
    let registered = harness.post("/apis", &api("qa", "stock", &json!(["stock:read"])));
    assert_eq!(registered.header("Location"), "/admin/v1/apis/qa/stock");
    assert_eq!(registered.expect(201)["audience"], "https://stock.example.com");
    assert_eq!(harness.get("/apis/production/stock").problem(404), "not-found");
    let body = json!({ "name": "Stock", "audience": "urn:stock", "scopes": ["stock:read", "stock:count"] });
    let changed = harness.patch("/apis/qa/stock", &body).expect(200);
    assert_eq!(
        (&changed["name"], &changed["audience"]),
        (&json!("Stock"), &json!("urn:stock"))
    );
    assert_eq!(harness.get("/apis/qa/stock").expect(200), changed);
    let ids = |path: &str| {
        let listed = harness.get(path).expect(200);
        let each = |api: &Value| {
            format!(
                "{}/{}",
                api["environment"].as_str().unwrap(),
                api["api_id"].as_str().unwrap()
            )
        };
        listed["items"].as_array().unwrap().iter().map(each).collect::<Vec<_>>()
    };
    assert_eq!(ids("/apis"), ["qa/orders", "qa/stock", "production/orders"]);
    assert_eq!(ids("/apis?environment=production"), ["production/orders"]);
}

#[test]
fn id_audience_and_scopes_belong_to_one_api_of_an_environment() {
    let harness = Harness::start();
    furnish(&harness);
    let taken = |body: &Value| {
        let answer = harness.post("/apis", body);
        assert_eq!(answer.problem(409), "taken");
        answer.faults(409)
    };
    assert_eq!(taken(&api("qa", "orders", &json!([]))), ["api_id"]);
    assert_eq!(
        taken(&api("qa", "stock", &json!(["stock:read", "orders:read"]))),
        ["scopes"]
    );
    let mut same_audience = api("qa", "stock", &json!([]));
    same_audience["audience"] = json!("https://qa.example.com/orders");
    assert_eq!(taken(&same_audience), ["audience"]);
    // The other environment is another world.
    same_audience["environment"] = json!("production");
    same_audience["scopes"] = json!(["stock:read"]);
    harness.post("/apis", &same_audience).expect(201);

    harness
        .post("/apis", &api("qa", "stock", &json!(["stock:read"])))
        .expect(201);
    let change = |body: &Value| harness.patch("/apis/qa/stock", body).faults(409);
    assert_eq!(change(&json!({ "scopes": ["orders:write"] })), ["scopes"]);
    assert_eq!(
        change(&json!({ "audience": "https://qa.example.com/orders" })),
        ["audience"]
    );
    assert_eq!(
        harness.get("/apis/qa/stock").expect(200)["scopes"],
        json!(["stock:read"])
    );
}

#[test]
fn an_environment_holds_five_hundred_apis() {
    let harness = Harness::start();
    for number in 0..500 {
        harness
            .post("/apis", &api("qa", &format!("api-{number}"), &json!([])))
            .expect(201);
    }
    assert_eq!(
        harness.post("/apis", &api("qa", "one-more", &json!([]))).problem(409),
        "conflict"
    );
    harness
        .post("/apis", &api("production", "one-more", &json!([])))
        .expect(201);
}
