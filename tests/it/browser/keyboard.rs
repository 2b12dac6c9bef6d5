//! The main path by the keyboard alone, with the focus to be seen at every step (WCAG 2.2, 2.1.1 and 2.4.7).

use super::stage::{Stage, shown};
use crate::support::browser::{Browser, Key};

fn follow(browser: &Browser, selector: &str, heading: &str) {
    browser.tab_to(selector);
    browser.key(Key::Enter);
    browser.is_at(heading);
}

fn type_into(browser: &Browser, selector: &str, text: &str) {
    browser.tab_to(selector);
    browser.keys(text);
}

fn choose(browser: &Browser, selector: &str) {
    browser.tab_to(selector);
    browser.key(Key::Space);
}

#[test]
fn credentials_are_created_without_a_mouse() {
    let stage = Stage::open();
    let browser = stage.browser();
    browser.visit("/console");
    type_into(&browser, "#token", &stage.owner);
    browser.key(Key::Enter);
    browser.is_at("Overview");
    // What everybody passes on every page can be skipped (2.4.1).
    browser.visit("/console");
    browser.tab_to("a.skip");
    browser.key(Key::Enter);
    follow(&browser, "a[href='/console/partners']", "Partners");
    follow(&browser, "a[href='/console/partners/acme']", "Acme");
    follow(&browser, "a[href$='/clients/new']", "Create credentials");
    choose(&browser, "[name=environment][value=qa]");
    type_into(&browser, "#name", "Keyed");
    type_into(&browser, "#contact", "dev@acme.example");
    choose(&browser, "[name=access_level][value=full]");
    browser.tab_to("button[data-when-complete]");
    browser.key(Key::Enter);
    let made = shown(&browser);
    assert_eq!(stage.token_status(&made), 200);
    choose(&browser, "#stored");
    follow(&browser, "a[data-forget]", "Keyed");
    type_into(&browser, "#confirm-revoke", &made.client_id);
    browser.key(Key::Enter);
    browser.says("Keyed revoked");
    browser.tab_to("summary");
    browser.key(Key::Enter);
    browser.tab_to("form[action$='/sign-out'] button");
    browser.key(Key::Enter);
    browser.says("Operator token");
}
