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

#[test]
fn a_partner_with_many_clients_shows_some_and_leads_to_all_of_them() {
    let harness = Harness::start();
    furnish(&harness);
    let other = json!({ "partner_id": "other", "name": "Other", "scope_ceiling": ["orders:read"] });
    harness.post("/partners", &other).expect(201);
    register(&harness, &changed(&json!({ "partner_id": "other" })));
    for number in 0..21 {
        register(&harness, &changed(&json!({ "name": format!("Till {number}") })));
        let below = json!({ "partner_id": format!("sub-{number:02}"), "name": "Sub", "parent": "acme" });
        harness.post("/partners", &below).expect(201);
    }
    let (live, _, _) = register(&harness, &changed(&json!({ "environment": "production" })));
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/partners/acme").expect(200);
    assert_eq!(listed(&page).len(), 21, "twenty in QA and the one in Production");
    assert!(listed(&page).contains(&live));
    page.says("href=\"/console/clients?environment=qa&#38;partner_id=acme\">All clients in QA");
    assert!(!page.text.contains("All clients in Production"));
    let all = browser
        .get("/console/clients?environment=qa&partner_id=acme")
        .expect(200);
    assert_eq!(listed(&all).len(), 21);
    all.says("Clients of <a href=\"/console/partners/acme\">acme</a> only.");
    all.says("name=\"partner_id\" value=\"acme\"");
    page.says("href=\"/console/partners?parent=acme\">All sub-accounts");
    assert!(page.text.contains("/console/partners/sub-19") && !page.text.contains("/console/partners/sub-20"));
    let below = browser.get("/console/partners?parent=acme").expect(200);
    assert_eq!(below.text.matches("<tr>").count(), 22, "a head and twenty-one lines");
    below.says("Sub-accounts of <a href=\"/console/partners/acme\">acme</a> only.");
}

#[test]
fn a_full_page_of_long_names_is_light() {
    let harness = Harness::start();
    furnish(&harness);
    for _ in 0..50 {
        let contact = format!("{}@integration.acme.example", "a".repeat(40));
        register(
            &harness,
            &changed(&json!({ "name": "N".repeat(100), "contact": contact })),
        );
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/clients").expect(200);
    assert_eq!(listed(&page).len(), 50);
    let mut octets = page.text.len();
    for attribute in ["href=\"/assets", "src=\"/assets"] {
        for rest in page.text.split(attribute).skip(1) {
            let asset = rest.split('"').next().unwrap();
            octets += browser.get(&format!("/assets{asset}")).expect(200).text.len();
        }
    }
    assert!((20_000..=60_000).contains(&octets), "{octets}");
}
