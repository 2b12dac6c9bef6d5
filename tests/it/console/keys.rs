//! Signing keys on pages: what is to come, rotation, and the way out in an emergency.

use mintmark::domain::Role;
use serde_json::Value;

use super::browser::{Browser, field};
use crate::support::admin_harness::{ANNOUNCED, Harness};

/// The keys of QA in this state.
fn in_state(harness: &Harness, state: &str) -> Vec<Value> {
    let list = harness.get("/keys?environment=qa").expect(200);
    let keys = list["items"].as_array().unwrap();
    keys.iter().filter(|key| key["state"] == *state).cloned().collect()
}

fn kid(harness: &Harness, state: &str) -> String {
    let keys = in_state(harness, state);
    assert_eq!(keys.len(), 1, "{state}");
    keys[0]["kid"].as_str().unwrap().to_owned()
}

#[test]
fn a_page_shows_what_signs_what_will_and_what_did() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Viewer);
    browser.get("/console/keys").expect(200).says("There is none yet");
    harness.tend_keys();
    let (active, announced) = (kid(&harness, "active"), kid(&harness, "announced"));
    let page = browser.get("/console/keys").expect(200);
    for kid in [&active, &announced] {
        page.says(&format!("href=\"/console/keys/qa/{kid}\""));
        page.says(&format!(">{} ", &kid[..8]));
    }
    // The clock of the harness stands at 2027-01-15 08:00, and a key signs for thirty days.
    page.says("The announced key follows by itself on <time datetime=\"2027-02-14T08:00:00Z\">");
    page.says("<title>The keys of QA from 2027-01-15 to 2027-02-14</title>");
    assert!(!page.text.contains("Rotate now"), "a viewer rotates nothing");
    harness.pass(30 * 86_400);
    harness.tend_keys();
    assert_eq!(kid(&harness, "retiring"), active);
    let page = Browser::signed_in(&harness, Role::Viewer)
        .get("/console/keys")
        .expect(200);
    // The longest life of a token, a minute of skew, one max-age: 4,260 seconds after 08:00.
    page.says("by itself on <time datetime=\"2027-02-14T09:11:00Z\">");
}

#[test]
fn a_rotation_that_is_too_early_is_refused_with_the_time_from_which_it_is_not() {
    let harness = Harness::start();
    harness.tend_keys();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let (active, announced) = (kid(&harness, "active"), kid(&harness, "announced"));
    let page = browser.get("/console/keys").expect(200);
    page.says("It may sign from <time datetime=\"2027-01-15T08:11:00Z\">");
    let page = browser.post("/console/keys/qa/rotate", &[]).expect(409);
    page.says("Nothing was rotated.");
    page.says("2027-01-15T08:11:00Z");
    assert_eq!(kid(&harness, "active"), active);
    harness.pass(ANNOUNCED);
    assert!(
        !browser
            .get("/console/keys")
            .expect(200)
            .text
            .contains("It may sign from")
    );
    assert_eq!(browser.post("/console/keys/qa/rotate", &[]).location(), "/console/keys");
    assert_eq!(
        (kid(&harness, "active"), kid(&harness, "retiring")),
        (announced, active)
    );
    browser
        .post("/console/keys/qa/rotate", &[])
        .expect(409)
        .says("Nothing was rotated.");
    browser.post("/console/keys/nowhere/rotate", &[]).expect(404);
}

#[test]
fn to_revoke_one_types_its_id_and_reads_what_breaks_and_since_when() {
    let harness = Harness::start();
    harness.tend_keys();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let (active, announced) = (kid(&harness, "active"), kid(&harness, "announced"));
    browser
        .get(&format!("/console/keys/qa/{announced}"))
        .expect(200)
        .says("It has signed nothing.");
    let path = format!("/console/keys/qa/{active}");
    let page = browser.get(&path).expect(200);
    page.says("Every token it signed stops counting at introspection");
    page.says("for up to 600 seconds");
    let version = field(&page, "version");
    let revoke = |confirm: &str| {
        let fields = [("version", version.as_str()), ("confirm", confirm)];
        browser.post(&format!("{path}/revoke"), &fields)
    };
    revoke("").expect(400);
    revoke(&announced).expect(400).says("is not the name of what this ends");
    assert_eq!(kid(&harness, "active"), active);
    harness.pass(7);
    assert_eq!(revoke(&active).location(), path);
    assert_eq!(
        (kid(&harness, "revoked"), kid(&harness, "active")),
        (active.clone(), announced)
    );
    let page = browser.get(&path).expect(200);
    page.says("Revoked, in effect since <time datetime=\"2027-01-15T08:00:07Z\">");
    assert!(!page.text.contains("Revoke at once"));
    revoke(&active).expect(412);
    browser
        .get(&format!("/console/keys/production/{active}"))
        .expect(404)
        .says("There is no such key");
}

#[test]
fn only_an_owner_is_offered_what_only_an_owner_may() {
    let harness = Harness::start();
    harness.tend_keys();
    let path = format!("/console/keys/qa/{}", kid(&harness, "active"));
    for role in Role::ALL {
        let browser = Browser::signed_in(&harness, role);
        let offered = browser.get("/console/keys").expect(200).text.contains("Rotate now");
        let revocable = browser.get(&path).expect(200).text.contains("Revoke at once");
        assert_eq!(
            (offered, revocable),
            (role == Role::Owner, role == Role::Owner),
            "{role:?}"
        );
    }
}
