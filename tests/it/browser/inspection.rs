//! What a page looks like on one screen, in both colours: accessible by the rules of WCAG 2.2 AA that a program can check (axe-core),
//! no wider than the screen, and its picture in `target/screenshots/`.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::process::clients::prepared;
use crate::support::browser::{Browser, Scheme, Screen};

/// Runs the checker and calls back with what it finds, a line each.
const CHECK: &str = "const [runOnly, done] = arguments;\
    axe.run(document, { runOnly, preload: false, resultTypes: ['violations'] }).then(\
      (found) => done(found.violations.flatMap((rule) => rule.nodes.map((node) =>\
        `${rule.id} at ${node.target.join(' ')}: ${node.failureSummary}`))),\
      (error) => done(['the checker failed: ' + error]));";

/// Somebody who looks at pages on one screen.
pub struct Inspection {
    screen: Screen,
    /// What is wrong, page by page.
    found: Vec<String>,
}

impl Inspection {
    pub const fn on(screen: Screen) -> Self {
        Self {
            screen,
            found: Vec::new(),
        }
    }

    /// Looks at the page that is shown, in both colours.
    pub fn look(&mut self, browser: &Browser, name: &str) {
        browser.script(checker(), &json!([]));
        for scheme in [Scheme::Light, Scheme::Dark] {
            browser.look(self.screen, scheme);
            let way = format!("{scheme:?}-{:?}", self.screen).to_lowercase();
            browser.picture(&pictures().join(format!("{name}-{way}.png")));
            let violations = browser.script_that_calls_back(CHECK, &rules(scheme));
            let violations = violations.as_array().expect("the checker gives a list");
            let told = violations.iter().filter_map(Value::as_str);
            self.found.extend(told.map(|fault| format!("{name}, {way}: {fault}")));
        }
        let width = browser.script("return document.documentElement.scrollWidth;", &json!([]));
        if width.as_u64() > Some(self.screen.size().0.into()) {
            self.found.push(format!("{name}: is {width} wide"));
        }
    }

    /// Fails with all that was wrong.
    #[track_caller]
    pub fn end(self) {
        assert!(self.found.is_empty(), "{}", self.found.join("\n"));
    }
}

/// What is checked. The other colours change nothing but the contrast.
fn rules(scheme: Scheme) -> Value {
    match scheme {
        Scheme::Light => {
            let tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
            json!([{ "type": "tag", "values": tags }])
        }
        Scheme::Dark => json!([{ "type": "rule", "values": ["color-contrast"] }]),
    }
}

/// The checker, as npm brings it.
fn checker() -> &'static str {
    static CHECKER: OnceLock<String> = OnceLock::new();
    CHECKER.get_or_init(|| fs::read_to_string(prepared("MINTMARK_TEST_AXE")).expect("scripts/test.sh has put it there"))
}

/// Where the pictures of pages lie.
fn pictures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/screenshots")
}

#[test]
fn what_is_hard_to_read_or_too_wide_is_found() {
    let stage = super::stage::Stage::open();
    let browser = stage.browser();
    browser.visit("/console/sign-in");
    let spoil = "const [text, box] = document.querySelectorAll('h2, #token'); text.style.color = 'lightgrey';\
        text.style.width = '400px'; document.querySelector('label').remove();";
    browser.look(Screen::Phone, Scheme::Light);
    browser.script(spoil, &json!([]));
    let mut inspection = Inspection::on(Screen::Phone);
    inspection.look(&browser, "spoiled");
    let found = inspection.found.join("\n");
    for fault in ["color-contrast at h2", "label at #token", "is 4"] {
        assert!(found.contains(fault), "{fault} is not found: {found}");
    }
}
