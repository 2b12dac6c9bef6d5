//! Pages of partners.

use mintmark::domain::Role;
use serde_json::json;

use super::browser::{Browser, field};
use crate::support::admin_harness::{Harness, furnish};

#[test]
fn a_partner_is_registered_once_however_often_its_form_is_sent() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Operator);
    let page = browser.get("/console/new-partner").expect(200);
    let once = field(&page, "once");
    let fields = [
        ("once", once.as_str()),
        ("name", "Acme & Söhne <b>"),
        ("partner_id", "acme"),
        ("parent", ""),
        ("scope_ceiling", "orders:read\r\n orders:write"),
    ];
    for _ in 0..2 {
        assert_eq!(
            browser.post("/console/partners", &fields).location(),
            "/console/partners/acme"
        );
    }
    let partner = harness.get("/partners/acme").expect(200);
    assert_eq!(partner["name"], "Acme & Söhne <b>");
    assert_eq!(partner["scope_ceiling"], json!(["orders:read", "orders:write"]));
    assert_eq!(
        harness.get("/partners").expect(200)["items"].as_array().unwrap().len(),
        1
    );
    let page = browser.get("/console/partners").expect(200);
    page.says("Acme &#38; Söhne &#60;b&#62;");
    assert!(!page.text.contains("<b>"));
    let page = browser.get("/console/partners/acme").expect(200);
    page.says("orders:write");
    page.says("operator@example.com");
}

#[test]
fn what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Operator);
    let once = field(&browser.get("/console/new-partner").expect(200), "once");
    let fields = [
        ("once", once.as_str()),
        ("name", "Acme"),
        ("partner_id", "ACME!"),
        ("scope_ceiling", "orders:read \"x"),
    ];
    let page = browser.post("/console/partners", &fields).expect(400);
    page.says("value=\"Acme\"");
    page.says("value=\"ACME!\"");
    page.says("id=\"partner_id-fault\"");
    page.says("id=\"scope_ceiling-fault\"");
    assert!(!page.text.contains("id=\"name-fault\""));
    harness
        .post("/partners", &json!({ "partner_id": "acme", "name": "A" }))
        .expect(201);
    let fields = [("once", once.as_str()), ("name", "Acme"), ("partner_id", "acme")];
    let page = browser.post("/console/partners", &fields).expect(400);
    page.says("This is taken.");
}

#[test]
fn a_list_goes_on_where_it_ended() {
    let harness = Harness::start();
    for number in 0..51 {
        let partner = json!({ "partner_id": format!("p-{number:02}"), "name": "A" });
        harness.post("/partners", &partner).expect(201);
    }
    harness.act("/partners/p-00/suspend").expect(200);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console/partners").expect(200);
    assert_eq!(page.text.matches("<tr>").count(), 51, "a head and fifty lines");
    page.says("href=\"/console/partners?after=p-49\"");
    let page = browser.get("/console/partners?after=p-49").expect(200);
    assert_eq!(page.text.matches("<tr>").count(), 2);
    assert!(!page.text.contains("Next page"));
    let page = browser.get("/console/partners?status=suspended").expect(200);
    assert_eq!(page.text.matches("<tr>").count(), 2);
    page.says("p-00");
    assert!(!page.text.contains("Register a partner"), "a viewer registers nobody");
    let page = browser.get("/console/partners?after=p-49&status=active").expect(200);
    page.says("href=\"/console/partners?status=active\">First page");
    browser
        .get("/console/partners?status=nonsense")
        .expect(400)
        .says("status is none of");
    browser
        .get("/console/partners/nobody")
        .expect(404)
        .says("There is no such partner");
}

#[test]
fn one_is_found_by_a_part_of_its_name_or_id() {
    let harness = Harness::start();
    furnish(&harness);
    let hostile = json!({ "partner_id": "emca", "name": "100% \"><script>x</script>" });
    harness.post("/partners", &hostile).expect(201);
    let browser = Browser::signed_in(&harness, Role::Viewer);
    for (search, found, missed) in [
        ("GMBH", "/console/partners/acme\"", "/console/partners/emca\""),
        ("%25", "/console/partners/emca\"", "/console/partners/acme\""),
        (
            "%22%3E%3Cscript",
            "/console/partners/emca\"",
            "/console/partners/acme\"",
        ),
    ] {
        let page = browser.get(&format!("/console/partners?search={search}")).expect(200);
        page.says(found);
        assert!(
            !page.text.contains(missed) && !page.text.contains("<script>x"),
            "{}",
            page.text
        );
    }
    let page = browser.get("/console/partners?search=%22%3E%3Cscript").expect(200);
    page.says("value=\"&#34;&#62;&#60;script\"");
    browser
        .get("/console/partners?search=nobody")
        .expect(200)
        .says("There are none.");
    browser
        .get(&format!("/console/partners?search={}", "a".repeat(101)))
        .expect(400)
        .says("search is longer");
}

#[test]
fn to_suspend_one_types_its_name_and_knows_it_as_it_is() {
    let harness = Harness::start();
    furnish(&harness);
    let browser = Browser::signed_in(&harness, Role::Operator);
    let version = field(&browser.get("/console/partners/acme").expect(200), "version");
    let suspend = |version: &str, confirm: &str| {
        let fields = [("version", version), ("confirm", confirm)];
        browser.post("/console/partners/acme/suspend", &fields)
    };
    suspend(&version, "Acme")
        .expect(400)
        .says("is not the name of what this ends");
    assert_eq!(harness.get("/partners/acme").expect(200)["status"], "active");
    harness
        .patch("/partners/acme", &json!({ "name": "Acme AG" }))
        .expect(200);
    suspend(&version, "acme")
        .expect(412)
        .says("It was changed since it was read");
    assert_eq!(harness.get("/partners/acme").expect(200)["status"], "active");
    let page = browser.get("/console/partners/acme").expect(200);
    let version = field(&page, "version");
    assert_eq!(suspend(&version, "acme").location(), "/console/partners/acme");
    let page = browser.get("/console/partners/acme").expect(200);
    page.says("suspended");
    let fields = [("version", field(&page, "version"))];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    browser.post("/console/partners/acme/reinstate", &fields).location();
    assert_eq!(harness.get("/partners/acme").expect(200)["status"], "active");
}
