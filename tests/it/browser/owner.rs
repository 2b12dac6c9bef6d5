//! What an owner looks after: operators, keys, the journal, and the overview of it all.

use super::stage::{Stage, create_credentials, go_on, sign_in};

#[test]
fn an_operator_is_made_and_the_token_shown_once() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    browser.press("Operators");
    browser.is_at("Operators");
    browser.fill("E-mail", "ada@example.com");
    browser.choose("Viewer");
    browser.press("Make operator");
    browser.is_at("Token of ada@example.com");
    let token = browser.find("#operator-token").text();
    assert!(token.starts_with("mmo_"), "{token}");
    assert!(!browser.named("Return").is_shown(), "it has to be stored first");
    go_on(&browser);
    browser.is_at("ada@example.com");
    assert!(!browser.source().contains(&token));
    browser.back();
    browser.is_at("Operators");
    assert!(!browser.source().contains(&token));
    browser.forward();
    browser.is_at("ada@example.com");
    assert!(!browser.source().contains(&token));
    let ada = stage.browser();
    sign_in(&ada, &token);
    ada.visit_refused("/console/operators", 403);
    ada.is_at("Forbidden");
    // Revoked by whoever types the address, and out at once.
    assert!(!browser.named("Revoke for ever").is_active());
    browser.fill("Type ada@example.com to confirm", "ada@example.com");
    browser.press("Revoke for ever");
    browser.says("Revoked, and that is final");
    ada.visit("/console");
    ada.says("Operator token");
    assert!(!stage.server.log().text().contains(&token));
}

#[test]
fn a_key_is_not_rotated_too_early_and_revoked_by_its_id() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    let keys = stage.admin.list("/keys?environment=qa");
    let kid = |state: &str| {
        let key = keys.iter().find(|key| key["state"] == *state).unwrap();
        key["kid"].as_str().unwrap().to_owned()
    };
    browser.press("Keys");
    browser.is_at("Keys");
    browser.expect_refusal(409);
    browser.press("Rotate now the keys of QA");
    browser.says("Nothing was rotated.");
    let (active, announced) = (kid("active"), kid("announced"));
    browser.press(&active);
    browser.is_at("Signing key active");
    browser.fill(&format!("Type {active} to confirm"), &announced);
    assert!(!browser.named("Revoke at once").is_active());
    browser.fill(&format!("Type {active} to confirm"), &active);
    browser.press("Revoke at once");
    browser.says("Revoked, in effect since");
    let after = stage.admin.get(&format!("/keys/qa/{announced}"));
    assert_eq!(after["state"], "active", "the next one signs");
}

#[test]
fn a_journal_is_searched_checked_and_read() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    browser.press("Journal");
    browser.is_at("Journal");
    browser.says("Chain verified, row by row");
    browser.field("Action").type_in("partner.registered");
    browser.press("Show");
    browser.says("(1 shown)");
    let row = stage.admin.list("/journal?action=partner.registered")[0]["epoch"].to_string();
    browser.press(&row);
    browser.is_at("partner.registered");
    browser.says("It has the hash of its content");
    browser.press("its whole history");
    browser.is_at("Journal");
    assert_eq!(browser.path(), "/console/journal?noun=partner&subject=acme");
}

#[test]
fn an_overview_counts_what_happens_and_leads_to_what_needs_attention() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    let made = create_credentials(&browser, "Shop");
    assert_eq!(stage.token_status(&made), 200);
    go_on(&browser);
    // The first secret ends in a week, unless somebody says otherwise.
    browser.press("Make another secret");
    go_on(&browser);
    browser.is_at("Shop");
    browser.visit("/console?environment=qa");
    browser.is_at("Overview");
    browser.says("Tokens, filled: 1.");
    browser.says(&format!("A secret of {} ends on", made.client_id));
    browser
        .find(&format!("a[href='/console/clients/{}']", made.client_id))
        .click();
    browser.is_at("Shop");
    browser.says("Tokens, filled: 1.");
    browser.visit("/console?environment=qa");
    browser.press("Production");
    browser.says("Tokens, filled: 0.");
    assert_eq!(browser.path(), "/console?environment=production");
}

#[test]
fn another_role_holds_for_who_is_signed_in() {
    let stage = Stage::open();
    let colleague = stage.colleague_at_browser();
    colleague.visit("/console/partners/acme");
    colleague.named("Create credentials");
    let browser = stage.owner_at_browser();
    browser.press("Operators");
    browser.press("colleague@example.com");
    browser.field("Role").type_in("viewer");
    browser.press("Change the role");
    browser.is_at("colleague@example.com");
    colleague.expect_refusal(403);
    colleague.press("Create credentials");
    colleague.is_at("Forbidden");
    colleague.visit("/console/partners/acme");
    let page = colleague.source();
    for more in ["Create credentials", "Suspend", "Operators"] {
        assert!(!page.contains(more), "a viewer sees {more}: {page}");
    }
}
