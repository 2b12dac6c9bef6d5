//! Partners: registered, suspended, reinstated; and what two operators do to one of them.

use super::stage::Stage;

#[test]
fn a_partner_is_registered_as_it_was_typed() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    browser.press("Partners");
    browser.press("Register a partner");
    browser.is_at("Register a partner");
    // The browser itself asks for what is required.
    browser.press("Register");
    assert_eq!(browser.path(), "/console/new-partner");
    browser.expect_refusal(400);
    browser.fill("Name", "<b>Globex</b> & Söhne");
    browser.fill("Partner ID", "Not A Slug");
    browser.fill("Ceiling", "orders:read\norders:write");
    browser.press("Register");
    browser.says("Some fields are not what they should be.");
    assert_eq!(
        browser.field("Ceiling").value(),
        "orders:read\norders:write",
        "what was typed is still there"
    );
    browser.fill("Partner ID", "globex");
    browser.press("Register");
    browser.is_at("<b>Globex</b> & Söhne");
    let partner = stage.admin.get("/partners/globex");
    assert_eq!(partner["name"], "<b>Globex</b> & Söhne");
    assert_eq!(
        partner["scope_ceiling"],
        serde_json::json!(["orders:read", "orders:write"])
    );
}

#[test]
fn suspending_takes_the_name_and_ends_every_token() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let browser = stage.owner_at_browser();
    browser.visit("/console/partners/acme");
    assert!(!browser.named("Suspend Acme").is_active());
    browser.fill("Type acme to confirm", "acm");
    assert!(!browser.named("Suspend Acme").is_active());
    browser.fill("Type acme to confirm", "acme");
    browser.press("Suspend Acme");
    browser.named("Reinstate Acme");
    assert_eq!(stage.token_status(&client), 401);
    browser.press("Reinstate Acme");
    browser.named("Suspend Acme");
    assert_eq!(stage.token_status(&client), 200);
}

#[test]
fn the_second_of_two_operators_is_told_and_changes_nothing() {
    let stage = Stage::open();
    let (first, second) = (stage.owner_at_browser(), stage.colleague_at_browser());
    for browser in [&first, &second] {
        browser.visit("/console/partners/acme");
        browser.fill("Type acme to confirm", "acme");
    }
    first.press("Suspend Acme");
    first.press("Reinstate Acme");
    first.named("Suspend Acme");
    second.expect_refusal(412);
    second.press("Suspend Acme");
    second.says("changed since it was read");
    assert_eq!(stage.admin.get("/partners/acme")["status"], "active");
}
