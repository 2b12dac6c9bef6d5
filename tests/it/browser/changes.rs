//! What becomes of a client: rotated, suspended, reinstated, revoked; and what two operators do to one of them.

use super::stage::{Stage, go_on, shown};
use crate::support::calls::Credentials;

fn page_of(client: &Credentials) -> String {
    format!("/console/clients/{}", client.client_id)
}

#[test]
fn a_rotation_leaves_the_old_secret_until_it_is_retired() {
    let stage = Stage::open();
    let old = stage.admin.client("qa");
    let browser = stage.owner_at_browser();
    browser.visit(&page_of(&old));
    browser.fill("Note", "after the audit");
    browser.press("Make another secret");
    let new = shown(&browser);
    assert_eq!(new.client_id, old.client_id);
    assert_ne!(new.secret, old.secret);
    assert_eq!((stage.token_status(&old), stage.token_status(&new)), (200, 200));
    go_on(&browser);
    browser.says("after the audit");
    assert!(!browser.source().contains(&new.secret));
    let hint = &old.secret[old.secret.len() - 4..];
    browser.press(&format!("Retire now the secret that ends in {hint}"));
    browser.is_at("A client");
    assert_eq!((stage.token_status(&old), stage.token_status(&new)), (401, 200));
}

#[test]
fn a_client_is_suspended_and_reinstated() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let browser = stage.owner_at_browser();
    browser.visit(&page_of(&client));
    let confirm = browser.find("#confirm-suspend");
    assert!(!browser.named("Suspend").is_active());
    confirm.type_in("A client");
    assert!(!browser.named("Suspend").is_active(), "its name is not its id");
    confirm.clear();
    confirm.type_in(&client.client_id);
    browser.press("Suspend");
    browser.named("Reinstate");
    assert_eq!(
        (
            stage.client_status(&client.client_id).as_str(),
            stage.token_status(&client)
        ),
        ("suspended", 401)
    );
    browser.press("Reinstate");
    browser.named("Suspend");
    assert_eq!(
        (
            stage.client_status(&client.client_id).as_str(),
            stage.token_status(&client)
        ),
        ("active", 200)
    );
}

#[test]
fn a_client_is_revoked_for_ever() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let browser = stage.owner_at_browser();
    browser.visit(&page_of(&client));
    assert!(!browser.named("Revoke for ever").is_active());
    browser.find("#confirm-revoke").type_in(&client.client_id);
    browser.press("Revoke for ever");
    browser.says("A client revoked");
    assert_eq!(
        (
            stage.client_status(&client.client_id).as_str(),
            stage.token_status(&client)
        ),
        ("revoked", 401)
    );
    let page = browser.source();
    assert!(
        !page.contains("Make another secret") && !page.contains("Reinstate"),
        "{page}"
    );
}

#[test]
fn the_second_of_two_operators_is_told_and_changes_nothing() {
    let stage = Stage::open();
    let client = stage.admin.client("qa");
    let (first, second) = (stage.owner_at_browser(), stage.colleague_at_browser());
    for browser in [&first, &second] {
        browser.visit(&page_of(&client));
    }
    first.find("#confirm-suspend").type_in(&client.client_id);
    first.press("Suspend");
    first.named("Reinstate");
    second.find("#confirm-revoke").type_in(&client.client_id);
    second.expect_refusal(412);
    second.press("Revoke for ever");
    second.says("changed since it was read");
    assert_eq!(stage.client_status(&client.client_id), "suspended");
    second.visit(&page_of(&client));
    second.says("A client suspended");
}
