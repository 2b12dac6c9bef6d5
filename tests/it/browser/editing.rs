//! Editing at a browser: typed as it is kept, narrowed by the filter box, found by the search box, and by two operators at once.

use serde_json::json;

use super::stage::Stage;

#[test]
fn the_second_of_two_operators_sees_what_the_first_changed_and_saves_both() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let path = format!("/console/clients/{}/edit", client.client_id);
    let (first, second) = (stage.owner_at_browser(), stage.colleague_at_browser());
    for browser in [&first, &second] {
        browser.visit(&path);
    }
    first.fill("Name", "Till");
    first.press("Save");
    first.is_at("Till");
    second.fill("Responsible e-mail", "bob@acme.example");
    second.expect_refusal(412);
    second.press("Save");
    second.says("Somebody else changed this while your form was open.");
    second.says("as they changed it");
    second.says("as you sent it");
    second.says("owner@example.com");
    let read = || stage.admin.get(&format!("/clients/{}", client.client_id));
    assert_eq!(read()["contact"], "dev@acme.example", "nothing is saved yet");
    assert_eq!(second.field("Name").value(), "Till");
    assert_eq!(second.field("Responsible e-mail").value(), "bob@acme.example");
    second.press("Save");
    second.is_at("Till");
    let saved = read();
    assert_eq!(
        (&saved["name"], &saved["contact"]),
        (&json!("Till"), &json!("bob@acme.example"))
    );
}

#[test]
fn a_client_is_found_and_narrowed_and_its_next_token_is() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let browser = stage.owner_at_browser();
    browser.press("Clients");
    browser.is_at("Clients");
    browser.fill("Name, ID or e-mail", &client.client_id[5..].to_uppercase());
    browser.press("Show");
    browser.press("A client");
    browser.is_at("A client");
    browser.press("Edit");
    browser.is_at("Edit A client");
    assert!(!browser.field("orders:read").is_shown(), "full access has no list");
    browser.choose("Fine grained");
    browser.fill("Filter", "WRITE");
    browser.press("Select all");
    browser.press("Save");
    browser.is_at("A client");
    let narrowed = stage.admin.get(&format!("/clients/{}", client.client_id));
    assert_eq!(narrowed["scope"], json!(["orders:write"]));
    assert_eq!(stage.token_status(&client), 200);
}

#[test]
fn an_api_is_registered_as_it_was_typed() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    browser.press("APIs");
    browser.press("Register an API");
    browser.choose("QA");
    browser.fill("Name", "Invoices");
    browser.fill("API ID", "invoices");
    browser.fill("Audience", "https://api.example.com/invoices");
    browser.fill("Scopes", "invoices:read");
    browser.press("Register");
    browser.is_at("Invoices");
    let api = stage.admin.get("/apis/qa/invoices");
    assert_eq!(api["audience"], "https://api.example.com/invoices");
    assert_eq!(api["scopes"], json!(["invoices:read"]));
}
