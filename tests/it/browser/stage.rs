//! What the walks begin with: a running server with the partner `acme`, operators, and browsers in which they have signed in.

use serde_json::json;

use crate::support::browser::Browser;
use crate::support::calls::{Admin, Caller, Credentials};
use crate::support::server::{Installation, Server};

/// A server that runs, and who may administer it.
pub struct Stage {
    pub server: Server,
    pub installation: Installation,
    pub admin: Admin,
    /// The token of its owner.
    pub owner: String,
}

impl Stage {
    pub fn open() -> Self {
        let installation = Installation::sqlite();
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        Self {
            server,
            installation,
            admin,
            owner,
        }
    }

    /// A browser in which nobody has signed in.
    pub fn browser(&self) -> Browser {
        Browser::open(&self.server)
    }

    /// The owner at a browser.
    pub fn owner_at_browser(&self) -> Browser {
        let browser = self.browser();
        sign_in(&browser, &self.owner);
        browser
    }

    /// Another operator at another browser.
    pub fn colleague_at_browser(&self) -> Browser {
        let colleague = json!({ "email": "colleague@example.com", "role": "operator" });
        let made = self.admin.post("/operators", &colleague).expect(201);
        let browser = self.browser();
        sign_in(&browser, made["token"].as_str().expect("an operator has a token"));
        browser
    }

    /// With which status a token is answered that is asked for with these.
    pub fn token_status(&self, client: &Credentials) -> u16 {
        let url = self.server.public_url("/qa/token");
        Caller::new().token(&url, client).status
    }

    /// The status of a client.
    pub fn client_status(&self, client_id: &str) -> String {
        let client = self.admin.get(&format!("/clients/{client_id}"));
        client["status"].as_str().expect("a client has a status").to_owned()
    }
}

/// Signs in where nobody has.
pub fn sign_in(browser: &Browser, token: &str) {
    browser.visit("/console/sign-in");
    browser.fill("Operator token", token);
    browser.press("Sign in");
    browser.is_at("Overview");
}

/// The credentials that the page shows.
pub fn shown(browser: &Browser) -> Credentials {
    browser.is_at("Credentials of ");
    Credentials {
        client_id: browser.find("#client-id").text(),
        secret: browser.find("#client-secret").text(),
    }
}

/// Creates credentials of `acme` in QA with full access, under this name, and stays where they are shown.
pub fn create_credentials(browser: &Browser, name: &str) -> Credentials {
    browser.visit("/console/partners/acme");
    browser.press("Create credentials");
    browser.is_at("Create credentials");
    browser.choose("QA");
    browser.fill("Name", name);
    browser.fill("Responsible e-mail", "dev@acme.example");
    browser.choose("Full");
    browser.press("Create credentials");
    shown(browser)
}

/// Says that the secret is stored, and goes on.
pub fn go_on(browser: &Browser) {
    browser.choose("I have stored it.");
    browser.press("Return");
}
