//! Every page, in both colours, on a desktop and on a phone: accessible by the rules of WCAG 2.2 AA that a program can check (axe-core),
//! within its width, within its weight, and its picture in `target/screenshots/`.

use std::fs;
use std::sync::{Arc, OnceLock};

use mintmark::console::{PREFIX, ROUTES, Verb};
use serde_json::{Value, json};

use super::stage::{Stage, create_credentials, sign_in};
use crate::process::clients::prepared;
use crate::support::browser::{Browser, Scheme, Screen, pictures};
use crate::support::calls::Admin;
use crate::support::shared::Shared;

/// Runs the checker and calls back with what it finds, a line each.
const CHECK: &str = "const done = arguments[0];\
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];\
    axe.run(document, { runOnly: { type: 'tag', values: tags }, preload: false, resultTypes: ['violations'] }).then(\
      (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) =>\
        `${rule.id} at ${node.target.join(' ')}: ${node.failureSummary}`))),\
      (error) => done(['the checker failed: ' + error]));";

static TOURED: Shared<Toured> = Shared::new();

/// An installation with something on every page.
struct Toured {
    stage: Stage,
    client_id: String,
}

impl Toured {
    fn furnish() -> Self {
        let stage = Stage::open();
        let client_id = fill(&stage.admin);
        Self { stage, client_id }
    }

    /// The path of a route, with what there is in the place of its parameters.
    fn path(&self, route: &str) -> String {
        let path = route
            .replace("{partner_id}", "acme")
            .replace("{client_id}", &self.client_id)
            .replace("{environment}", "qa")
            .replace("{api_id}", "orders");
        assert!(!path.contains('{'), "{route}: say here what the tour is to see");
        format!("{PREFIX}{path}")
    }
}

/// Partners, a sub-account and clients in every state. Gives the id of one with something to see.
fn fill(admin: &Admin) -> String {
    let scopes = json!(["orders:read", "orders:write"]);
    for (partner_id, name, parent) in [
        (
            "acme-logistics",
            "Acme Logistics and Warehousing International",
            Some("acme"),
        ),
        ("globex", "Globex", None),
        ("initech", "Initech", None),
    ] {
        let mut partner = json!({ "partner_id": partner_id, "name": name, "scope_ceiling": scopes });
        if let Some(parent) = parent {
            partner["parent"] = json!(parent);
        }
        admin.post("/partners", &partner).expect(201);
    }
    admin.act("/partners/initech/suspend");
    let client = |environment: &str, name: &str| {
        let client = json!({
            "environment": environment, "kind": "partner", "partner_id": "acme", "access_level": "fine_grained",
            "scope": scopes, "name": name, "contact": "integration@acme.example",
            "allowed_sources": ["192.0.2.0/24", "2001:db8::/32"], "expires_at": "2099-01-31T00:00:00Z",
        });
        let made = admin.post("/clients", &client).expect(201);
        made["client"]["client_id"]
            .as_str()
            .expect("a client has an id")
            .to_owned()
    };
    let shown = client("production", "Order desk");
    admin.act(&format!("/clients/{}/suspend", client("qa", "Order desk, for testing")));
    admin.act(&format!(
        "/clients/{}/revoke",
        client("qa", "Prototype of the integration of spring")
    ));
    let rotation = json!({ "note": "before the audit" });
    admin.post(&format!("/clients/{shown}/secrets"), &rotation).expect(201);
    shown
}

/// Somebody who looks at every page in one way.
struct Visitor {
    browser: Browser,
    toured: Arc<Toured>,
    screen: Screen,
    scheme: Scheme,
    /// What is wrong, page by page.
    found: Vec<String>,
}

impl Visitor {
    /// Looks at the page that is shown.
    fn look(&mut self, name: &str) {
        let way = format!("{:?}-{:?}", self.scheme, self.screen).to_lowercase();
        self.browser.picture(&pictures().join(format!("{name}-{way}.png")));
        self.browser.script(checker(), &json!([]));
        let violations = self.browser.script_that_calls_back(CHECK);
        let violations = violations.as_array().expect("the checker gives a list");
        let told = violations.iter().filter_map(Value::as_str);
        self.found.extend(told.map(|fault| format!("{name}: {fault}")));
        let width = self
            .browser
            .script("return document.documentElement.scrollWidth;", &json!([]));
        if width.as_u64() > Some(self.screen.size().0.into()) {
            self.found.push(format!("{name}: is {width} wide"));
        }
    }

    fn visit(&mut self, path: &str, name: &str) {
        self.browser.visit(path);
        self.look(name);
    }

    fn walk(&mut self) {
        self.visit("/console/sign-in", "sign-in");
        self.browser.expect_refusal(401);
        self.browser.fill("Operator token", "mmo_nonsense");
        self.browser.press("Sign in");
        self.look("sign-in-refused");
        sign_in(&self.browser, &self.toured.stage.owner);
        let pages = ROUTES
            .iter()
            .filter(|route| route.verb == Verb::Get && route.least_role().is_some());
        for route in pages {
            let path = self.toured.path(route.path);
            self.visit(&path, &name_of(route.path));
        }
        self.browser.visit_refused("/console/nothing", 404);
        self.look("not-found");
        self.browser.visit(&self.toured.path("/partners/{partner_id}"));
        self.browser.press("owner@example.com");
        self.look("menu");
        self.browser
            .visit(&self.toured.path("/partners/{partner_id}/clients/new"));
        self.browser.choose("Fine grained");
        self.look("create-credentials-scopes");
        create_credentials(&self.browser, "Shop");
        self.browser.choose("I have stored it.");
        self.look("secret");
        self.be_overtaken();
    }

    /// Sends a form that somebody else was quicker than.
    fn be_overtaken(&mut self) {
        self.browser.visit(&self.toured.path("/clients/{client_id}/edit"));
        // Of two values one is another than whatever was there.
        for lifetime in [120, 600] {
            let path = format!("/clients/{}", self.toured.client_id);
            let change = json!({ "token_lifetime": lifetime });
            self.toured.stage.admin.patch(&path, &change).expect(200);
        }
        self.browser.expect_refusal(412);
        self.browser.press("Save");
        self.look("overtaken");
    }
}

/// The checker, as npm brings it.
fn checker() -> &'static str {
    static CHECKER: OnceLock<String> = OnceLock::new();
    CHECKER.get_or_init(|| fs::read_to_string(prepared("MINTMARK_TEST_AXE")).expect("scripts/test.sh has put it there"))
}

/// What the picture of a page is called: its path, without the signs.
fn name_of(path: &str) -> String {
    match path {
        "" => "overview".to_owned(),
        _ => path.trim_start_matches('/').replace(['{', '}'], "").replace('/', "-"),
    }
}

fn look_round(screen: Screen, scheme: Scheme) {
    let toured = TOURED.get(Toured::furnish);
    let browser = toured.stage.browser();
    browser.disable_cache();
    browser.look(screen, scheme);
    let mut visitor = Visitor {
        browser,
        toured,
        screen,
        scheme,
        found: Vec::new(),
    };
    visitor.walk();
    assert!(visitor.found.is_empty(), "{}", visitor.found.join("\n"));
}

#[test]
fn light_on_a_desktop() {
    look_round(Screen::Desktop, Scheme::Light);
}

#[test]
fn dark_on_a_desktop() {
    look_round(Screen::Desktop, Scheme::Dark);
}

#[test]
fn light_on_a_phone() {
    look_round(Screen::Phone, Scheme::Light);
}

#[test]
fn dark_on_a_phone() {
    look_round(Screen::Phone, Scheme::Dark);
}
