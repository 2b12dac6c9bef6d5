//! The main path with scripts disabled: every page is whole without them.

use super::stage::{Stage, shown, sign_in};

#[test]
fn the_main_path_needs_no_script() {
    let stage = Stage::open();
    let browser = stage.browser();
    browser.disable_scripts();
    sign_in(&browser, &stage.owner);
    browser.press("Partners");
    browser.press("Register a partner");
    browser.fill("Name", "Globex");
    browser.fill("Partner ID", "globex");
    browser.fill("Ceiling", "orders:read");
    browser.press("Register");
    browser.is_at("Globex");
    browser.press("Create credentials");
    browser.is_at("Create credentials");
    assert!(
        !browser.named("Select all").is_shown(),
        "what needs a script is not there"
    );
    browser.choose("QA");
    browser.fill("Name", "Shop");
    browser.fill("Responsible e-mail", "dev@globex.example");
    browser.choose("Fine grained");
    browser.choose("orders:read");
    browser.press("Create credentials");
    let made = shown(&browser);
    assert_eq!(stage.token_status(&made), 200);
    browser.press("Return");
    browser.is_at("Shop");
    assert!(!browser.source().contains(&made.secret));
    browser.find("#confirm-suspend").type_in("something else");
    browser.expect_refusal(400);
    browser.press("Suspend");
    browser.says("is not the name of what this ends");
    assert_eq!(stage.client_status(&made.client_id), "active");
    browser.visit(&format!("/console/clients/{}", made.client_id));
    browser.find("#confirm-suspend").type_in(&made.client_id);
    browser.press("Suspend");
    browser.says("Shop suspended");
    browser.press("owner@example.com");
    browser.press("Sign out");
    browser.says("Operator token");
}
