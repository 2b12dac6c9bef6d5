//! Operators on pages: made, given another role or token, ended; each token shown once.

use mintmark::domain::Role;
use serde_json::Value;

use super::browser::{Browser, Page, field};
use crate::support::admin_harness::Harness;

/// The token a page shows.
#[track_caller]
fn shown(page: &Page) -> String {
    let (_, rest) = page.text.split_once("id=\"operator-token\" data-secret>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

fn operator(harness: &Harness, email: &str) -> Value {
    let list = harness.get("/operators").expect(200);
    let found = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|each| each["email"] == *email);
    found.unwrap_or_else(|| panic!("no {email}")).clone()
}

fn path(operator: &Value) -> String {
    format!("/console/operators/{}", operator["operator_id"].as_str().unwrap())
}

fn counts(harness: &Harness, token: &str) -> bool {
    harness.ask("GET", "/whoami").with_token(token).send().status == 200
}

#[test]
fn one_is_made_once_and_the_token_is_shown_once() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let once = field(&browser.get("/console/operators").expect(200), "once");
    let fields = [
        ("once", once.as_str()),
        ("email", "new@example.com"),
        ("role", "viewer"),
    ];
    let page = browser.post("/console/operators", &fields).expect(200);
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let token = shown(&page);
    assert!(token.starts_with("mmo_") && counts(&harness, &token), "{token}");
    let made = operator(&harness, "new@example.com");
    assert_eq!((&made["role"], &made["status"]), (&"viewer".into(), &"active".into()));
    let before = harness.epoch();
    let again = browser.post("/console/operators", &fields).expect(200);
    again.says("It cannot be shown again");
    assert_eq!(harness.epoch(), before, "a reload makes nothing");
    let way = path(&made);
    for path in [
        way.as_str(),
        "/console/operators",
        "/console/journal",
        "/console/journal/4",
    ] {
        let page = browser.get(path).expect(200);
        page.says(made["operator_id"].as_str().unwrap());
        assert!(!page.text.contains("mmo_"), "{path}");
    }
}

#[test]
fn what_is_wrong_with_one_is_said_at_its_field() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let before = harness.epoch();
    for (email, role, fault) in [
        ("", "viewer", "email-fault"),
        ("nobody", "viewer", "email-fault"),
        ("new@example.com", "", "role-fault"),
        ("new@example.com", "emperor", "role-fault"),
        ("viewer@example.com", "viewer", "email-fault"),
    ] {
        let once = field(&browser.get("/console/operators").expect(200), "once");
        let fields = [("once", once.as_str()), ("email", email), ("role", role)];
        let page = browser.post("/console/operators", &fields).expect(400);
        page.says(&format!("id=\"{fault}\""));
        page.says(&format!("value=\"{email}\""));
    }
    assert_eq!(harness.epoch(), before);
}

#[test]
fn a_role_is_changed_by_whoever_knows_the_operator_as_it_is() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let known = operator(&harness, "viewer@example.com");
    let path = path(&known);
    let version = field(&browser.get(&path).expect(200), "version");
    let change = |role: &str, version: &str| {
        let fields = [("role", role), ("version", version)];
        browser.post(&format!("{path}/role"), &fields)
    };
    assert_eq!(change("operator", &version).location(), path);
    assert_eq!(operator(&harness, "viewer@example.com")["role"], "operator");
    change("owner", &version)
        .expect(412)
        .says("It was changed since it was read");
    change("emperor", &version)
        .expect(400)
        .says("role is none of viewer, operator, owner");
    assert_eq!(operator(&harness, "viewer@example.com")["role"], "operator");
}

#[test]
fn another_token_ends_the_one_before_and_its_sessions() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let other = Browser::signed_in(&harness, Role::Operator);
    let path = path(&operator(&harness, "operator@example.com"));
    let version = field(&browser.get(&path).expect(200), "version");
    let rotate = || browser.post(&format!("{path}/token"), &[("version", &version)]);
    let page = rotate().expect(200);
    let token = shown(&page);
    assert!(counts(&harness, &token) && !counts(&harness, harness.token(Role::Operator)));
    assert!(!page.text.contains("It was your own"));
    assert_eq!(other.get("/console").location(), "/console/sign-in");
    rotate().expect(412);
    assert!(counts(&harness, &token), "a reload makes no third");
}

#[test]
fn the_last_owner_can_do_no_harm_to_themselves_but_renew_their_token() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let path = path(&operator(&harness, "owner@example.com"));
    let page = browser.get(&path).expect(200);
    page.says("This is you.");
    let version = field(&page, "version");
    let before = harness.epoch();
    let fields = [("role", "viewer"), ("version", &version)];
    browser
        .post(&format!("{path}/role"), &fields)
        .expect(409)
        .says("last owner whose token works");
    let fields = [("confirm", "owner@example.com"), ("version", &version)];
    browser
        .post(&format!("{path}/revoke"), &fields)
        .expect(409)
        .says("last owner whose token works");
    assert_eq!(harness.epoch(), before);
    let page = browser
        .post(&format!("{path}/token"), &[("version", &version)])
        .expect(200);
    page.says("It was your own");
    let token = shown(&page);
    assert_eq!(browser.get("/console").location(), "/console/sign-in");
    assert_eq!(
        browser.post("/console/sign-in", &[("token", &token)]).location(),
        "/console"
    );
}

#[test]
fn to_revoke_one_types_the_address() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    let victim = Browser::signed_in(&harness, Role::Operator);
    let path = path(&operator(&harness, "operator@example.com"));
    let version = field(&browser.get(&path).expect(200), "version");
    let revoke = |confirm: &str| {
        let fields = [("confirm", confirm), ("version", version.as_str())];
        browser.post(&format!("{path}/revoke"), &fields)
    };
    for confirm in ["", "operator", "viewer@example.com"] {
        revoke(confirm).expect(400).says("is not the name of what this ends");
    }
    assert!(counts(&harness, harness.token(Role::Operator)));
    assert_eq!(revoke("operator@example.com").location(), path);
    assert_eq!(operator(&harness, "operator@example.com")["status"], "revoked");
    assert!(!counts(&harness, harness.token(Role::Operator)));
    assert_eq!(victim.get("/console").location(), "/console/sign-in");
    let page = browser.get(&path).expect(200);
    page.says("Revoked, and that is final");
    assert!(!page.text.contains("<button class=\"danger\""));
}

#[test]
fn only_an_owner_finds_them_in_the_menu() {
    let harness = Harness::start();
    for role in Role::ALL {
        let page = Browser::signed_in(&harness, role).get("/console").expect(200);
        let is_there = page.text.contains("href=\"/console/operators\"");
        assert_eq!(is_there, role == Role::Owner, "{role:?}");
        page.says("href=\"/console/journal\"");
        page.says("href=\"/console/keys\"");
    }
}
