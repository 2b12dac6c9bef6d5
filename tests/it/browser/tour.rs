//! Every page that shows something, on a desktop and on a phone: held to `inspection`, and to its weight with nothing remembered.

use std::sync::Arc;

use mintmark::console::{PREFIX, ROUTES, Verb};
use serde_json::{Value, json};

use super::inspection::Inspection;
use super::stage::{Stage, create_credentials, sign_in};
use crate::support::browser::{Browser, Screen};
use crate::support::calls::{Admin, Caller};
use crate::support::shared::Shared;

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
        use_tokens(&stage);
        Self { stage, client_id }
    }

    /// The path of a route, with what there is in the place of its parameters.
    fn path(&self, route: &str) -> String {
        let of_first = |list: &str, member: &str| text(&self.stage.admin.list(list)[0][member]);
        let mut path = route
            .replace("{partner_id}", "acme")
            .replace("{client_id}", &self.client_id)
            .replace("{environment}", "production")
            .replace("{api_id}", "orders")
            .replace("{epoch}", "3");
        if path.contains("{kid}") {
            path = path.replace("{kid}", &of_first("/keys?environment=production", "kid"));
        }
        if path.contains("{operator_id}") {
            path = path.replace("{operator_id}", &of_first("/operators", "operator_id"));
        }
        assert!(!path.contains('{'), "{route}: say here what the tour is to see");
        format!("{PREFIX}{path}")
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
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
        text(&admin.post("/clients", &client).expect(201)["client"]["client_id"])
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

/// Tokens and refusals, for what counts them.
fn use_tokens(stage: &Stage) {
    let client = stage.admin.client("production");
    let named = json!({ "name": "Warehouse" });
    stage
        .admin
        .patch(&format!("/clients/{}", client.client_id), &named)
        .expect(200);
    let url = stage.server.public_url("/production/token");
    let grant = ("grant_type", "client_credentials");
    for _ in 0..12 {
        Caller::new().token(&url, &client).issued();
    }
    for _ in 0..3 {
        Caller::new()
            .form(&url, &client, &[grant, ("scope", "orders:delete")])
            .expect(400);
    }
}

/// A visitor who comes for the first time.
struct Visitor {
    browser: Browser,
    toured: Arc<Toured>,
    inspection: Inspection,
}

impl Visitor {
    fn arrive(screen: Screen) -> Self {
        let toured = TOURED.get(Toured::furnish);
        let browser = toured.stage.browser();
        browser.disable_cache();
        Self {
            browser,
            toured,
            inspection: Inspection::on(screen),
        }
    }

    fn look(&mut self, name: &str) {
        self.inspection.look(&self.browser, name);
    }

    /// Every page there is a route to.
    fn follow_routes(mut self) {
        sign_in(&self.browser, &self.toured.stage.owner);
        let pages = ROUTES.iter().filter(|route| {
            let is_file = route.path.contains('.');
            route.verb == Verb::Get && route.least_role().is_some() && !is_file
        });
        for route in pages {
            self.browser.visit(&self.toured.path(route.path));
            self.look(&name_of(route.path));
        }
        self.inspection.end();
    }

    /// Every page that an action leads to, and what opens within one.
    fn act(mut self) {
        self.browser.visit("/console/sign-in");
        self.look("sign-in");
        self.browser.expect_refusal(401);
        self.browser.fill("Operator token", "mmo_nonsense");
        self.browser.press("Sign in");
        self.look("sign-in-refused");
        sign_in(&self.browser, &self.toured.stage.owner);
        self.browser.visit_refused("/console/nothing", 404);
        self.look("not-found");
        self.browser.visit("/console/partners/globex");
        self.browser.press("owner@example.com");
        self.look("menu");
        self.browser.visit("/console/new-partner");
        self.browser.expect_refusal(400);
        self.browser.fill("Name", "Initrode");
        self.browser.fill("Partner ID", "Init Rode");
        self.browser.press("Register");
        self.look("register-refused");
        self.browser.visit("/console/partners/acme/clients/new");
        self.browser.choose("Fine grained");
        self.look("create-credentials-scopes");
        create_credentials(&self.browser, "Shop");
        self.browser.choose("I have stored it.");
        self.look("secret");
        self.be_overtaken();
        self.inspection.end();
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

/// What the picture of a page is called: its path, without the signs.
fn name_of(path: &str) -> String {
    match path {
        "" => "overview".to_owned(),
        _ => path.trim_start_matches('/').replace(['{', '}'], "").replace('/', "-"),
    }
}

#[test]
fn every_route_on_a_desktop() {
    Visitor::arrive(Screen::Desktop).follow_routes();
}

#[test]
fn every_route_on_a_phone() {
    Visitor::arrive(Screen::Phone).follow_routes();
}

#[test]
fn every_action_on_a_desktop() {
    Visitor::arrive(Screen::Desktop).act();
}

#[test]
fn every_action_on_a_phone() {
    Visitor::arrive(Screen::Phone).act();
}
