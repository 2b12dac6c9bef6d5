//! The dialog in which credentials are created.

use serde_json::json;

use super::stage::{Stage, shown};
use crate::support::browser::{Browser, Key};

fn open_dialog(browser: &Browser) {
    browser.visit("/console/partners/acme");
    browser.press("Create credentials");
    browser.is_at("Create credentials");
}

fn is_complete(browser: &Browser) -> bool {
    browser.named("Create credentials").is_active()
}

#[test]
fn the_button_waits_for_what_is_required() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    open_dialog(&browser);
    browser.says("These credentials open the data of Acme.");
    assert!(!is_complete(&browser));
    browser.choose("QA");
    browser.fill("Name", "Shop");
    browser.choose("Full");
    assert!(!is_complete(&browser), "somebody has to answer for it");
    browser.fill("Responsible e-mail", "nonsense");
    assert!(!is_complete(&browser), "at an address");
    browser.fill("Responsible e-mail", "dev@acme.example");
    assert!(is_complete(&browser));
    browser.choose("Fine grained");
    assert!(!is_complete(&browser), "no scope is chosen");
    browser.choose("orders:read");
    assert!(is_complete(&browser));
}

#[test]
fn scopes_are_filtered_and_chosen_together() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    open_dialog(&browser);
    assert!(!browser.field("orders:read").is_shown(), "full access has no list");
    browser.choose("Fine grained");
    browser.fill("Filter", "WRITE");
    assert!(!browser.field("orders:read").is_shown());
    browser.press("Select all");
    browser.says("1 of 2 chosen");
    browser.fill("Filter", "orders");
    let is_chosen = |scope| browser.field(scope).is_chosen();
    assert!(browser.field("orders:read").is_shown());
    assert!(!is_chosen("orders:read") && is_chosen("orders:write"));
    browser.press("Select all");
    browser.says("2 of 2 chosen");
    browser.press("Clear");
    browser.says("0 of 2 chosen");
}

#[test]
fn cancelling_discards_everything() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    open_dialog(&browser);
    browser.fill("Name", "Shop");
    browser.press("Cancel");
    browser.is_at("Acme");
    browser.press("Create credentials");
    browser.is_at("Create credentials");
    assert_eq!(browser.field("Name").value(), "");
    browser.fill("Name", "Shop");
    browser.key(Key::Escape);
    browser.is_at("Acme");
    assert_eq!(stage.admin.list("/clients"), [json!(null); 0]);
}

#[test]
fn they_are_what_was_chosen() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    open_dialog(&browser);
    browser.choose("QA");
    browser.fill("Name", "Shop");
    browser.fill("Responsible e-mail", "dev@acme.example");
    browser.choose("Fine grained");
    browser.choose("orders:write");
    browser.fill("Allowed sources", "127.0.0.0/8\n2001:db8::/32");
    browser.press("Create credentials");
    let made = shown(&browser);
    let client = stage.admin.get(&format!("/clients/{}", made.client_id));
    for (member, value) in [
        ("environment", json!("qa")),
        ("partner_id", json!("acme")),
        ("name", json!("Shop")),
        ("contact", json!("dev@acme.example")),
        ("access_level", json!("fine_grained")),
        ("scope", json!(["orders:write"])),
        ("allowed_sources", json!(["127.0.0.0/8", "2001:db8::/32"])),
        ("expires_at", json!(null)),
    ] {
        assert_eq!(client[member], value, "{member}");
    }
    assert_eq!(stage.token_status(&made), 200);
}

#[test]
fn what_the_server_refuses_is_shown_at_its_field() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    open_dialog(&browser);
    browser.choose("Production");
    browser.fill("Name", "Shop");
    browser.fill("Responsible e-mail", "dev@acme.example");
    browser.choose("Full");
    browser.fill("Allowed sources", "192.0.2.1/24");
    browser.expect_refusal(400);
    browser.press("Create credentials");
    browser.find("#allowed_sources-fault");
    assert_eq!(browser.field("Name").value(), "Shop", "what was typed is still there");
    assert!(browser.field("Production").is_chosen() && browser.field("Full").is_chosen());
    assert_eq!(stage.admin.list("/clients"), [json!(null); 0]);
}
