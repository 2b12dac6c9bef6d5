//! Pages of APIs, from which scopes come.

use mintmark::domain::Role;
use serde_json::json;

use super::browser::{Browser, field};
use crate::support::admin_harness::{Harness, furnish};

#[test]
fn an_api_is_registered_once_listed_and_shown() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let once = field(&browser.get("/console/new-api").expect(200), "once");
    let fields = [
        ("once", once.as_str()),
        ("environment", "production"),
        ("api_id", "billing"),
        ("name", "Billing & <b>Dunning</b>"),
        ("audience", "https://billing.example.com"),
        ("scopes", "b:1\r\nb:2\r\n\r\nb:3 b:4\r\nb:5\r\nb:6"),
    ];
    for _ in 0..2 {
        assert_eq!(
            browser.post("/console/apis", &fields).location(),
            "/console/apis/production/billing"
        );
    }
    let api = harness.get("/apis/production/billing").expect(200);
    assert_eq!(api["scopes"], json!(["b:1", "b:2", "b:3", "b:4", "b:5", "b:6"]));
    assert_eq!(api["audience"], "https://billing.example.com");
    let viewer = Browser::signed_in(&harness, Role::Viewer);
    let list = viewer.get("/console/apis").expect(200);
    list.says("aria-current=\"page\">APIs");
    list.says("Billing &#38; &#60;b&#62;Dunning");
    list.says("and 1 more");
    assert!(list.text.contains("orders:read") && !list.text.contains("b:6") && !list.text.contains("<b>"));
    assert!(!list.text.contains("Register an API"));
    let list = viewer.get("/console/apis?environment=qa").expect(200);
    assert!(list.text.contains("/console/apis/qa/orders") && !list.text.contains("/console/apis/production"));
    let page = viewer.get("/console/apis/production/billing").expect(200);
    page.says("b:6");
    assert!(!page.text.contains("/edit"));
    viewer
        .get("/console/apis/production/nothing")
        .expect(404)
        .says("There is no such api");
    viewer.get("/console/apis/staging/orders").expect(404);
    viewer.get("/console/apis?after=staging").expect(400);
}

#[test]
fn what_is_wrong_or_taken_is_said_at_its_field() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let once = field(&browser.get("/console/new-api").expect(200), "once");
    let before = harness.epoch();
    let good = [
        ("environment", "qa"),
        ("api_id", "billing"),
        ("name", "Billing"),
        ("audience", "https://billing.example.com"),
        ("scopes", "b:1"),
    ];
    for (name, value) in [
        ("environment", ""),
        ("api_id", "Billing!"),
        ("api_id", "orders"),
        ("name", ""),
        ("audience", "billing"),
        ("audience", "https://qa.example.com/orders"),
        ("scopes", "a\"b"),
        ("scopes", "orders:read"),
    ] {
        let mut fields = good.to_vec();
        fields.retain(|(field, _)| *field != name);
        fields.extend([(name, value), ("once", once.as_str())]);
        let page = browser.post("/console/apis", &fields).expect(400);
        page.says(&format!("id=\"{name}-fault\""));
    }
    assert_eq!(harness.epoch(), before);
}

#[test]
fn a_list_of_many_goes_on() {
    let harness = Harness::start();
    furnish(&harness);
    for number in 0..51 {
        let api = json!({
            "environment": "qa", "api_id": format!("a-{number:02}"), "name": "A", "audience": format!("urn:{number}"), "scopes": [],
        });
        harness.post("/apis", &api).expect(201);
    }
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/apis").expect(200);
    assert_eq!(page.text.matches("<tr>").count(), 51, "a head and fifty lines");
    page.says("href=\"/console/apis?after=qa%2Fa-49\"");
    let page = browser.get("/console/apis?after=qa%2Fa-49").expect(200);
    // The last of those, and one API in each environment.
    assert_eq!(page.text.matches("<tr>").count(), 4);
    assert!(!page.text.contains("Next page"));
}

#[test]
fn an_api_is_changed_and_the_second_of_two_operators_sees_what_the_first_did() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let path = "/console/apis/qa/orders/edit";
    browser
        .get("/console/apis/qa/orders")
        .expect(200)
        .says(&format!("href=\"{path}\""));
    let page = browser.get(path).expect(200);
    assert_eq!(field(&page, "name"), "Orders");
    page.says(">orders:read\norders:write</textarea>");
    let version = field(&page, "version");
    let mine = [
        ("version", version.as_str()),
        ("name", "Orders"),
        ("audience", "https://qa.example.com/orders"),
        ("scopes", "orders:read\r\norders:list"),
    ];
    assert_eq!(browser.post(path, &mine).location(), "/console/apis/qa/orders");
    let api = harness.get("/apis/qa/orders").expect(200);
    assert_eq!(api["scopes"], json!(["orders:list", "orders:read"]));
    assert_eq!(
        harness.get("/apis/production/orders").expect(200)["scopes"],
        json!(["orders:read", "orders:write"])
    );
    // The same form once more is of what was before.
    let late = [
        &mine[..1],
        &[("name", "Late")],
        &mine[2..3],
        &[("scopes", "orders:read\r\norders:write")],
    ]
    .concat();
    let page = browser.post(path, &late).expect(412);
    for (label, cells) in [
        ("Name", ["Orders", "Orders", "Late", "as you sent it"]),
        (
            "Scopes",
            [
                "orders:read, orders:write",
                "orders:list, orders:read",
                "orders:read, orders:write",
                "as they changed it",
            ],
        ),
    ] {
        let row = page
            .text
            .split_once(&format!("<th scope=\"row\">{label}</th>"))
            .unwrap()
            .1;
        let row = row.split("</tr>").next().unwrap();
        let cells = cells.map(|cell| format!("<td>{cell}</td>"));
        assert!(cells.iter().all(|cell| row.contains(cell)), "{row}");
    }
    page.says(">orders:list\norders:read</textarea>");
    page.says("(operator@example.com)");
    assert_eq!(harness.get("/apis/qa/orders").expect(200), api, "nothing is saved");
    for (name, value) in [("name", ""), ("audience", "no"), ("scopes", "a\"b")] {
        let version = api["version"].to_string();
        let mut fields = vec![("version", version.as_str())];
        fields.extend(mine[1..].iter().filter(|(field, _)| *field != name));
        fields.push((name, value));
        let page = browser.post(path, &fields).expect(400);
        page.says(&format!("id=\"{name}-fault\""));
    }
}
