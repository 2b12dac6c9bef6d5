//! Signing in and out.

use super::stage::{Stage, sign_in};

#[test]
fn a_wrong_token_is_told_so_and_the_right_one_leads_on() {
    let stage = Stage::open();
    let browser = stage.browser();
    browser.visit("/console/partners/acme");
    browser.expect_refusal(401);
    browser.fill("Operator token", "mmo_nonsense");
    browser.press("Sign in");
    browser.says("The token does not count");
    assert_eq!(browser.field("Operator token").value(), "", "a token is not given back");
    browser.fill("Operator token", &stage.owner);
    browser.press("Sign in");
    browser.is_at("Acme");
    assert_eq!(browser.path(), "/console/partners/acme");
}

#[test]
fn a_session_that_was_stolen_is_dead_after_sign_out() {
    let stage = Stage::open();
    let browser = stage.owner_at_browser();
    let session = browser.cookie("mintmark_session");
    let thief = stage.browser();
    thief.visit("/console/sign-in");
    thief.put_cookie("mintmark_session", &session);
    thief.visit("/console/partners");
    thief.is_at("Partners");
    browser.visit("/console/partners");
    browser.press("owner@example.com");
    browser.press("Sign out");
    browser.says("Operator token");
    // Neither whoever has the cookie nor whoever has the machine gets further.
    thief.press("Acme");
    thief.says("Operator token");
    browser.back();
    browser.says("Operator token");
    assert!(!browser.source().contains("Acme"));
}

#[test]
fn signing_out_everywhere_ends_the_other_browser_too() {
    let stage = Stage::open();
    let (here, there) = (stage.owner_at_browser(), stage.owner_at_browser());
    here.press("owner@example.com");
    here.press("Sign out everywhere");
    here.says("Operator token");
    there.visit("/console/partners");
    there.says("Operator token");
    sign_in(&there, &stage.owner);
}
