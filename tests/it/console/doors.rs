//! What every page is behind, and what every page says to the browser.

use mintmark::console::{PREFIX, ROUTES, Verb};
use mintmark::domain::Role;

use super::browser::{Browser, Page};
use crate::support::admin_harness::Harness;

/// A path of the route, with something in the place of each parameter.
fn path_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace(['{', '}'], ""))
}

fn assert_guarded(page: &Page, path: &str) {
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(page.header(name), Some(value), "{path}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
        "{path}: {policy}"
    );
    // Nothing inline, and nothing from elsewhere.
    for inline in ["<style", " style=", " onclick=", "javascript:", "http://", "https://"] {
        assert!(!page.text.contains(inline), "{inline} in {path}");
    }
    assert_eq!(page.text.matches("<script").count(), 1, "{path}");
}

#[test]
fn no_page_but_the_way_in_is_shown_to_strangers() {
    let harness = Harness::start();
    let stranger = Browser::open(&harness);
    for route in ROUTES {
        let path = path_of(route.path);
        match (route.verb, route.least_role()) {
            (Verb::Get, Some(_)) => {
                let answer = stranger.get(&path);
                assert!(answer.location().starts_with("/console/sign-in"), "{path}");
                assert_eq!(answer.text, "", "{path}");
            }
            (Verb::Post, Some(_)) => assert_eq!(stranger.post(&path, &[]).location(), "/console/sign-in", "{path}"),
            (Verb::Get, None) => {
                // The way in for the first owner is open to whoever knows the code.
                let status = if route.path.contains("{code}") { 404 } else { 200 };
                assert_guarded(&stranger.get(&path).expect(status), &path);
            }
            (Verb::Post, None) => {}
        }
    }
    let open: Vec<_> = ROUTES
        .iter()
        .filter(|route| route.least_role().is_none())
        .map(|route| route.path)
        .collect();
    assert_eq!(open, ["/set-up/{code}", "/set-up/{code}", "/sign-in", "/sign-in"]);
}

#[test]
fn a_form_counts_only_from_a_page_of_ours_and_of_this_session() {
    let harness = Harness::start();
    let (browser, other) = (
        Browser::signed_in(&harness, Role::Owner),
        Browser::signed_in(&harness, Role::Owner),
    );
    let (own, foreign) = (browser.proof.borrow().clone(), other.proof.borrow().clone());
    assert_ne!(own, foreign);
    let before = harness.epoch();
    for route in ROUTES
        .iter()
        .filter(|route| route.verb == Verb::Post && route.least_role().is_some())
    {
        let path = path_of(route.path);
        for site in ["cross-site", "same-site", "none", "nonsense"] {
            let page = browser.post_from(site, &path, &[("proof", &own)]).expect(403);
            page.says("Another site sent this request");
            assert_guarded(&page, &path);
        }
        for proof in ["", foreign.as_str(), "nonsense"] {
            let page = browser.post_from("same-origin", &path, &[("proof", proof)]).expect(403);
            page.says("not of the session you are in");
            assert_guarded(&page, &path);
        }
    }
    let page = browser.post_from(
        "cross-site",
        "/console/sign-in",
        &[("token", harness.token(Role::Owner))],
    );
    page.expect(403).says("Another site sent this request");
    assert_eq!(harness.epoch(), before, "nothing happened");
    browser.get("/console").expect(200);
}

#[test]
fn a_role_that_does_not_suffice_is_told_so_on_a_page() {
    let harness = Harness::start();
    for role in Role::ALL {
        let browser = Browser::signed_in(&harness, role);
        for route in ROUTES.iter().filter(|route| route.least_role() > Some(role)) {
            let path = path_of(route.path);
            let page = match route.verb {
                Verb::Get => browser.get(&path),
                Verb::Post => browser.post(&path, &[]),
            };
            page.expect(403).says("Forbidden");
        }
    }
}

#[test]
fn pages_say_what_browsers_must_know_and_bring_everything_along() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Viewer);
    let page = browser.get("/console").expect(200);
    assert_guarded(&page, "/console");
    assert_guarded(&browser.get("/console/nowhere").expect(404), "nowhere");
    let asked = browser.post("/console", &[]).expect(405);
    assert_eq!(asked.header("allow"), Some("GET, HEAD"));
    let named = |attribute: &str| {
        let parts = page.text.split(attribute).skip(1);
        parts
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let assets: Vec<String> = [named("href=\"/assets"), named("src=\"/assets")].concat();
    assert_eq!(assets.len(), 3, "{assets:?}");
    let mut octets = page.text.len();
    for asset in assets {
        let file = browser.get(&format!("/assets{asset}")).expect(200);
        assert_eq!(
            file.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        octets += file.text.len();
    }
    assert!(octets <= 60_000, "{octets}");
}

#[test]
fn a_store_that_does_not_answer_lets_nobody_in() {
    let harness = Harness::start();
    let browser = Browser::signed_in(&harness, Role::Owner);
    harness.silence();
    let page = browser.get("/console").expect(503);
    page.says("The store does not answer");
    assert_eq!(page.header("retry-after"), Some("1"));
    browser
        .post("/console/sign-in", &[("token", harness.token(Role::Owner))])
        .expect(503);
}
