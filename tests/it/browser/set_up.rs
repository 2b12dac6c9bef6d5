//! The first owner of an empty installation, made by the link that it prints.

use super::inspection::Inspection;
use super::stage::sign_in;
use crate::support::browser::{Browser, Screen};
use crate::support::server::Installation;

#[test]
fn the_first_owner_is_made_by_a_link_and_sees_their_token_once() {
    let installation = Installation::sqlite();
    let mut server = installation.start();
    let line = server.printed();
    let link = line.trim_end().strip_prefix("Make the first owner at ").unwrap();
    let way = link.strip_prefix(&server.admin_url("")).unwrap();
    let browser = Browser::open(&server);
    let (mut desktop, mut phone) = (Inspection::on(Screen::Desktop), Inspection::on(Screen::Phone));
    browser.visit(way);
    desktop.look(&browser, "set-up");
    phone.look(&browser, "set-up");
    browser.fill("Your e-mail", "ada@example.com");
    browser.press("Make me the owner");
    browser.is_at("You are the owner");
    let token = browser.find("#operator-token").text();
    assert_eq!(server.admin(&token).get("/whoami")["email"], "ada@example.com");
    desktop.look(&browser, "first-token");
    phone.look(&browser, "first-token");
    assert!(!browser.named("To the console").is_shown(), "it has to be stored first");
    browser.choose("I have stored it.");
    browser.press("To the console");
    browser.is_at("Overview");
    browser.expect_refusal(404);
    browser.back();
    browser.says("There is no such path.");
    assert!(!browser.source().contains(&token));
    sign_in(&browser, &token);
    desktop.end();
    phone.end();
}
