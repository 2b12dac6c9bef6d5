//! Signing in and out, and what ends a session.

use mintmark::domain::Role;
use serde_json::json;

use super::browser::Browser;
use crate::support::admin_harness::Harness;

/// Whether the browser is still signed in.
fn is_in(browser: &Browser<'_>) -> bool {
    let page = browser.get("/console");
    if page.status == 200 {
        return true;
    }
    assert_eq!(page.location(), "/console/sign-in");
    false
}

#[test]
fn a_token_begins_a_session_that_only_a_browser_can_keep() {
    let harness = Harness::start();
    let browser = Browser::open(&harness);
    let page = browser.get("/console/sign-in").expect(200);
    page.says("Operator token");
    let answer = browser.post("/console/sign-in", &[("token", harness.token(Role::Viewer))]);
    assert_eq!(answer.location(), "/console");
    let cookie = answer.header("set-cookie").unwrap();
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert!(value.starts_with("mintmark_session=mmb_"), "{value}");
    assert_eq!(attributes, "Path=/; Max-Age=43200; HttpOnly; SameSite=Strict");
    assert!(!answer.text.contains("mmb_") && !answer.text.contains("mmo_"));
    let page = browser.get("/console").expect(200);
    page.says("viewer@example.com");
    assert!(
        !page.text.contains("mmb_") && !page.text.contains("mmo_"),
        "{}",
        page.text
    );
}

#[test]
fn a_token_that_does_not_count_begins_nothing() {
    let harness = Harness::start();
    let browser = Browser::open(&harness);
    for token in ["", "mmo_nonsense", "a b", &harness.token(Role::Owner).to_uppercase()] {
        let page = browser.post("/console/sign-in", &[("token", token)]).expect(401);
        page.says("The token does not count");
        assert_eq!(page.header("set-cookie"), None, "{token}");
        assert!(!is_in(&browser));
    }
}

#[test]
fn whoever_guesses_is_held_up_and_an_operator_at_work_is_not() {
    let harness = Harness::with_failures(3);
    let known = Browser::signed_in(&harness, Role::Owner);
    let browser = Browser::open(&harness);
    for _ in 0..3 {
        browser.post("/console/sign-in", &[("token", "mmo_guess")]).expect(401);
    }
    let page = browser.post("/console/sign-in", &[("token", "mmo_guess")]).expect(429);
    page.says("Too many failed authentications");
    let wait: u32 = page.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(is_in(&known));
    assert_eq!(
        known
            .post("/console/sign-in", &[("token", harness.token(Role::Owner))])
            .location(),
        "/console"
    );
}

#[test]
fn after_signing_in_one_is_where_one_wanted_to_go_and_nowhere_else() {
    let harness = Harness::start();
    let browser = Browser::open(&harness);
    let asked = browser.get("/console?a=b&c=d");
    assert_eq!(asked.location(), "/console/sign-in?next=%2Fconsole%3Fa%3Db%26c%3Dd");
    browser.get(asked.location()).says("value=\"/console?a=b&#38;c=d\"");
    let token = harness.token(Role::Viewer);
    for (next, leads) in [
        ("/console?a=b&c=d", "/console?a=b&c=d"),
        ("https://evil.example/console", "/console"),
        ("//evil.example", "/console"),
        ("/console\r\nSet-Cookie: a=b", "/console"),
    ] {
        let answer = browser.post("/console/sign-in", &[("token", token), ("next", next)]);
        assert_eq!(answer.location(), leads);
    }
}

#[test]
fn a_session_that_was_stolen_is_dead_after_signing_out() {
    let harness = Harness::start();
    let (here, there) = (
        Browser::signed_in(&harness, Role::Operator),
        Browser::signed_in(&harness, Role::Operator),
    );
    let thief = here.stolen();
    assert!(is_in(&thief));
    let answer = here.post("/console/sign-out", &[]);
    assert_eq!(answer.location(), "/console/sign-in");
    assert_eq!(
        answer.header("set-cookie"),
        Some("mintmark_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict")
    );
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
    assert!(!is_in(&here) && !is_in(&thief));
    assert!(is_in(&there), "the other session goes on");
}

#[test]
fn signing_in_again_ends_the_session_the_browser_had() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Operator);
    let thief = browser.stolen();
    browser
        .post("/console/sign-in", &[("token", harness.token(Role::Viewer))])
        .location();
    assert!(is_in(&browser));
    assert!(!is_in(&thief));
    // A token that does not count ends nothing.
    let copy = browser.stolen();
    browser.post("/console/sign-in", &[("token", "mmo_guess")]).expect(401);
    assert!(is_in(&copy));
}

#[test]
fn signing_out_everywhere_ends_every_session_of_this_operator_and_of_nobody_else() {
    let harness = Harness::start();
    let (here, there, other) = (
        Browser::signed_in(&harness, Role::Operator),
        Browser::signed_in(&harness, Role::Operator),
        Browser::signed_in(&harness, Role::Owner),
    );
    here.post("/console/sign-out-everywhere", &[]);
    assert!(!is_in(&here) && !is_in(&there));
    assert!(is_in(&other));
}

#[test]
fn a_session_ends_when_nobody_uses_it_and_when_it_is_old() {
    let harness = Harness::start();
    let (idle, busy) = (
        Browser::signed_in(&harness, Role::Viewer),
        Browser::signed_in(&harness, Role::Viewer),
    );
    harness.pass(1_799);
    assert!(is_in(&busy));
    harness.pass(1);
    assert!(!is_in(&idle), "idle for half an hour");
    for _ in 0..23 {
        harness.pass(1_700);
        assert!(is_in(&busy));
    }
    // 1,800 and 23 times 1,700 seconds: 2,300 are left of twelve hours.
    harness.pass(1_200);
    assert!(is_in(&busy));
    harness.pass(1_100);
    assert!(!is_in(&busy), "twelve hours after it began");
}

#[test]
fn another_token_a_lesser_role_and_a_revocation_reach_a_session_at_once() {
    let harness = Harness::start();
    let operators = harness.get("/operators").expect(200);
    let id = |role: Role| {
        let email = format!("{}@example.com", role.as_str());
        let list = operators["items"].as_array().unwrap();
        let found = list.iter().find(|operator| operator["email"] == *email).unwrap();
        found["operator_id"].as_str().unwrap().to_owned()
    };
    let browser = Browser::signed_in(&harness, Role::Operator);
    let path = format!("/operators/{}", id(Role::Operator));
    harness.patch(&path, &json!({ "role": "viewer" })).expect(200);
    browser.get("/console").expect(200).says("Signed in as viewer.");
    harness.act(&format!("{path}/token")).expect(200);
    assert!(!is_in(&browser), "its token is another");
    let browser = Browser::signed_in(&harness, Role::Viewer);
    harness
        .act(&format!("/operators/{}/revoke", id(Role::Viewer)))
        .expect(200);
    assert!(!is_in(&browser), "the operator is revoked");
}

#[test]
fn the_oldest_of_too_many_sessions_ends() {
    let harness = Harness::start();
    let browsers: Vec<_> = (0..21).map(|_| Browser::signed_in(&harness, Role::Viewer)).collect();
    let living = browsers.iter().filter(|browser| is_in(browser)).count();
    assert_eq!(living, 20);
    assert!(!is_in(&browsers[0]));
}
