//! The list of all clients.

use mintmark::domain::Role;
use serde_json::{Value, json};

use super::browser::{Browser, Page};
use crate::support::admin_harness::{Harness, furnish, register, warehouse};

/// The ids of the clients in the list, in its order.
fn listed(page: &Page) -> Vec<String> {
    let rows = page.text.split("<th scope=\"row\"><a href=\"/console/clients/").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

fn changed(more: &Value) -> Value {
    let mut client = warehouse();
    client
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    client
}

#[test]
fn every_client_is_listed_and_found_by_what_one_knows_of_it() {
    let harness = Harness::start();
    furnish(&harness);
    let (qa, _, _) = register(&harness, &warehouse());
    let (live, _, path) = register(
        &harness,
        &changed(&json!({ "environment": "production", "name": "<b>Till</b> 100%" })),
    );
    let server = json!({
        "kind": "resource_server", "environment": "qa", "api_id": "orders", "name": "Gate", "contact": "eve@other.example",
    });
    let (api, _, _) = register(&harness, &server);
    harness.act(&format!("{path}/suspend")).expect(200);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let list = |query: &str| browser.get(&format!("/console/clients?{query}")).expect(200);
    let whole = list("");
    whole.says("aria-current=\"page\">Clients");
    whole.says("&#60;b&#62;Till");
    assert!(!whole.text.contains("<b>"));
    let mut all = vec![qa.clone(), live.clone(), api.clone()];
    all.sort();
    assert_eq!(listed(&whole), all);
    for (query, found) in [
        ("environment=production", &live),
        ("status=suspended", &live),
        ("search=%25", &live),
        ("search=WAREHOUSE", &qa),
        ("search=Eve%40Other", &api),
        ("environment=qa&search=ADA&status=active", &qa),
        (&format!("search={qa}"), &qa),
    ] {
        assert_eq!(listed(&list(query)), std::slice::from_ref(found), "{query}");
    }
    list("environment=&status=&search=nobody&status=").says("There are none.");
    browser.get("/console/clients?environment=staging").expect(400);
    browser
        .get("/console/clients?status=gone")
        .expect(400)
        .says("status is none of");
}

#[test]
fn the_list_goes_on_with_the_same_filters() {
    let harness = Harness::start();
    furnish(&harness);
    for number in 0..51 {
        register(&harness, &changed(&json!({ "name": format!("Till {number}") })));
        if number % 10 == 0 {
            register(&harness, &changed(&json!({ "name": "Other" })));
        }
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let query = "environment=qa&status=active&search=t%26l";
    assert!(listed(&browser.get(&format!("/console/clients?{query}")).expect(200)).is_empty());
    let query = "environment=qa&status=active&search=TILL+";
    let first = browser.get(&format!("/console/clients?{query}")).expect(200);
    let shown = listed(&first);
    assert_eq!(shown.len(), 50);
    let way = format!(
        "/console/clients?after={}&#38;environment=qa&#38;status=active&#38;search=TILL",
        shown[49]
    );
    first.says(&format!("rel=\"next\" href=\"{way}\""));
    let second = browser.get(&way.replace("&#38;", "&")).expect(200);
    let further = listed(&second);
    assert_eq!(further.len(), 1);
    assert!(further[0] > shown[49]);
    second.says("href=\"/console/clients?environment=qa&#38;status=active&#38;search=TILL\">First page");
    assert!(!second.text.contains("Next page"));
}
