//! A person at a browser: reads what a page says, fills in what has a label, presses what has a name. At its end everything counts
//! that went wrong meanwhile: errors of the console, violations of the policy (CSP), requests to other hosts, pages that are too heavy.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::{fs, thread};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::Server;
use super::watch;
use super::webdriver::Session;

/// How long something is waited for on a page, in milliseconds.
const LOOKING: u32 = 15_000;
/// How long a page may take, and a script, in milliseconds.
const LOADING: u32 = 60_000;
/// The member by which WebDriver names an element (WebDriver §12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How many stops of the tab key a page has at the most.
const STOPS: usize = 80;

/// Tells the console of each violation of the policy, whatever else the browser says of it.
const TELL_OF_VIOLATIONS: &str = "addEventListener('securitypolicyviolation', (event) => \
    console.error('policy violated: ' + event.violatedDirective + ' by ' + event.blockedURI));";

/// On what a page is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Desktop,
    Phone,
}

impl Screen {
    /// Its width and its height, in CSS pixels.
    pub const fn size(self) -> (u16, u16) {
        match self {
            Self::Desktop => (1280, 900),
            Self::Phone => (375, 812),
        }
    }
}

/// In which colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Light,
    Dark,
}

/// A key of the keyboard.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    Tab,
    Enter,
    Space,
    Escape,
}

impl Key {
    /// As WebDriver writes it (WebDriver §17.4.2).
    const fn text(self) -> &'static str {
        match self {
            Self::Tab => "\u{E004}",
            Self::Enter => "\u{E007}",
            Self::Space => " ",
            Self::Escape => "\u{E00C}",
        }
    }
}

/// One browser with nothing remembered.
pub struct Browser {
    session: Session,
    origin: String,
    /// Its own folder, which may outlive it.
    profile: Rc<TempDir>,
    /// With which statuses documents were refused, as the test expects.
    refusals: RefCell<Vec<u16>>,
}

impl Browser {
    /// On a desktop, in light colours, for the admin listener of a server.
    pub fn open(server: &Server) -> Self {
        let profile = Rc::new(tempfile::tempdir().unwrap());
        let session = Session::begin(&capabilities(profile.path()));
        session.cdp(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({ "source": TELL_OF_VIOLATIONS }),
        );
        // As if it were in front, whatever else runs beside.
        session.cdp("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
        let browser = Self {
            session,
            origin: server.admin_url(""),
            profile,
            refusals: RefCell::default(),
        };
        browser.look(Screen::Desktop, Scheme::Light);
        browser
    }

    /// Looks at pages like this from now on.
    pub fn look(&self, screen: Screen, scheme: Scheme) {
        let (width, height) = screen.size();
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": screen == Screen::Phone,
        });
        self.session.cdp("Emulation.setDeviceMetricsOverride", &metrics);
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            // What moves is read before it has arrived.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.session
            .cdp("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Runs no script of a page from now on.
    pub fn disable_scripts(&self) {
        self.session
            .cdp("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    }

    /// Fetches everything anew for every page from now on, as somebody who comes for the first time.
    pub fn disable_cache(&self) {
        self.session
            .cdp("Network.setCacheDisabled", &json!({ "cacheDisabled": true }));
    }

    /// Puts what it downloads into this folder.
    pub fn download_to(&self, folder: &Path) {
        let behavior = json!({ "behavior": "allow", "downloadPath": folder });
        self.session.cdp("Browser.setDownloadBehavior", &behavior);
    }

    /// The folder in which it keeps what it remembers, for a look at it after its end.
    pub fn profile(&self) -> Rc<TempDir> {
        Rc::clone(&self.profile)
    }

    /// Goes to a page by its address.
    pub fn visit(&self, path: &str) {
        self.session
            .post("/url", &json!({ "url": format!("{}{path}", self.origin) }));
    }

    /// Goes to a page that is refused with this status.
    pub fn visit_refused(&self, path: &str, status: u16) {
        self.expect_refusal(status);
        self.visit(path);
    }

    /// Says that a document is refused with this status, once.
    pub fn expect_refusal(&self, status: u16) {
        self.refusals.borrow_mut().push(status);
    }

    pub fn reload(&self) {
        self.session.post("/refresh", &json!({}));
    }

    pub fn back(&self) {
        self.session.post("/back", &json!({}));
    }

    pub fn forward(&self) {
        self.session.post("/forward", &json!({}));
    }

    /// Where it is, without the host.
    pub fn path(&self) -> String {
        let url = self.session.get("/url");
        let url = url.as_str().expect("a URL is a text");
        url.strip_prefix(&self.origin).unwrap_or(url).to_owned()
    }

    /// The page as it stands now.
    pub fn source(&self) -> String {
        self.session
            .get("/source")
            .as_str()
            .expect("a page is a text")
            .to_owned()
    }

    /// Returns once the page has a heading that begins so.
    #[track_caller]
    pub fn is_at(&self, heading: &str) {
        self.one(
            "xpath",
            &format!("//h1[starts-with(normalize-space(.), {})]", quoted(heading)),
        );
    }

    /// Returns once the page says so somewhere.
    #[track_caller]
    pub fn says(&self, text: &str) {
        self.one(
            "xpath",
            &format!("//body[contains(normalize-space(.), {})]", quoted(text)),
        );
    }

    /// The first element that matches, once there is one.
    #[track_caller]
    pub fn find(&self, selector: &str) -> Element<'_> {
        self.one("css selector", selector)
    }

    /// What is pressed or followed under this name.
    #[track_caller]
    pub fn named(&self, name: &str) -> Element<'_> {
        let name = quoted(name);
        let is_named = format!("normalize-space(.) = {name} or @aria-label = {name}");
        self.one(
            "xpath",
            &format!("//*[self::button or self::a or self::summary][{is_named}]"),
        )
    }

    /// Presses it.
    #[track_caller]
    pub fn press(&self, name: &str) {
        self.named(name).click();
    }

    /// The field whose label is this, or begins so where it stands within the label.
    #[track_caller]
    pub fn field(&self, label: &str) -> Element<'_> {
        let label = quoted(label);
        let beside = format!("//*[@id = //label[normalize-space(.) = {label}]/@for]");
        let within = format!("//label[starts-with(normalize-space(.), {label})]//input");
        self.one("xpath", &format!("{beside} | {within}"))
    }

    /// Types over what the field with this label holds.
    #[track_caller]
    pub fn fill(&self, label: &str, text: &str) {
        let field = self.field(label);
        field.clear();
        field.type_in(text);
    }

    /// Ticks the box with this label, or chooses it.
    #[track_caller]
    pub fn choose(&self, label: &str) {
        self.field(label).click();
    }

    #[track_caller]
    fn one(&self, using: &str, value: &str) -> Element<'_> {
        let found = self
            .session
            .try_post("/element", &json!({ "using": using, "value": value }));
        let found =
            found.unwrap_or_else(|fault| panic!("{value} is not at {}: {fault}\n{}", self.path(), self.source()));
        let id = found[ELEMENT].as_str().expect("an element has an id");
        Element {
            browser: self,
            path: format!("/element/{id}"),
        }
    }

    /// Presses a key, wherever the focus is.
    pub fn key(&self, key: Key) {
        self.keys(key.text());
    }

    /// Types, wherever the focus is.
    pub fn keys(&self, text: &str) {
        let strokes: Vec<Value> = text
            .chars()
            .flat_map(|each| ["keyDown", "keyUp"].map(|stroke| json!({ "type": stroke, "value": each.to_string() })))
            .collect();
        let actions = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.session.post("/actions", &actions);
    }

    /// Presses the tab key until the focus is on what matches, where it can be seen.
    #[track_caller]
    pub fn tab_to(&self, selector: &str) {
        self.find(selector);
        let is_there = "const [wanted] = arguments, at = document.activeElement; if (!at.matches(wanted)) return null;\
            const style = getComputedStyle(at); return style.outlineStyle !== 'none' && style.outlineWidth !== '0px';";
        for _ in 0..STOPS {
            if let Some(is_seen) = self.script(is_there, &json!([selector])).as_bool() {
                assert!(is_seen, "the focus on {selector} cannot be seen");
                return;
            }
            self.key(Key::Tab);
        }
        panic!("the tab key does not come to {selector} at {}", self.path());
    }

    /// What a function of ours returns, called in the page with these arguments.
    pub fn script(&self, body: &str, arguments: &Value) -> Value {
        self.session
            .post("/execute/sync", &json!({ "script": body, "args": arguments }))
    }

    /// The same of a function that calls its last argument when it is done.
    pub fn script_that_calls_back(&self, body: &str, arguments: &Value) -> Value {
        self.session
            .post("/execute/async", &json!({ "script": body, "args": arguments }))
    }

    /// What the clipboard holds.
    pub fn clipboard(&self) -> String {
        let grant = json!({ "origin": self.origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        self.session.cdp("Browser.grantPermissions", &grant);
        let read = "const done = arguments[0]; navigator.clipboard.readText().then(done, (error) => done('' + error));";
        self.script_that_calls_back(read, &json!([]))
            .as_str()
            .expect("text was copied")
            .to_owned()
    }

    /// The value of the cookie with this name.
    pub fn cookie(&self, name: &str) -> String {
        let cookie = self.session.get(&format!("/cookie/{name}"));
        cookie["value"].as_str().expect("a cookie has a value").to_owned()
    }

    /// Has the browser send this cookie along.
    pub fn put_cookie(&self, name: &str, value: &str) {
        self.session.post(
            "/cookie",
            &json!({ "cookie": { "name": name, "value": value, "path": "/" } }),
        );
    }

    /// Writes the whole page, beyond the window too, as a picture.
    pub fn picture(&self, file: &Path) {
        let size = &self.session.cdp("Page.getLayoutMetrics", &json!({}))["cssContentSize"];
        let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
        let wanted = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let shot = self.session.cdp("Page.captureScreenshot", &wanted);
        let octets = STANDARD
            .decode(shot["data"].as_str().expect("a picture is a text"))
            .unwrap();
        fs::create_dir_all(file.parent().expect("it lies in a folder")).unwrap();
        fs::write(file, octets).unwrap();
    }

    /// What went wrong so far.
    fn faults(&self) -> Vec<String> {
        let log = |kind: &str| self.session.post("/se/log", &json!({ "type": kind }));
        let mut faults = watch::faults_of_console(&log("browser"), &self.refusals.borrow());
        faults.extend(watch::faults_of_traffic(&log("performance"), &self.origin));
        faults
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Of a test that has failed one reads why it failed first.
        if !thread::panicking() {
            let faults = self.faults();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }
}

/// An element of the page that is shown.
pub struct Element<'a> {
    browser: &'a Browser,
    path: String,
}

impl Element<'_> {
    fn act(&self, action: &str, body: &Value) {
        self.browser.session.post(&format!("{}{action}", self.path), body);
    }

    fn ask(&self, question: &str) -> Value {
        self.browser.session.get(&format!("{}{question}", self.path))
    }

    #[track_caller]
    pub fn click(&self) {
        self.act("/click", &json!({}));
    }

    pub fn clear(&self) {
        self.act("/clear", &json!({}));
    }

    pub fn type_in(&self, text: &str) {
        self.act("/value", &json!({ "text": text }));
    }

    /// What it says, as far as it is seen.
    pub fn text(&self) -> String {
        self.ask("/text").as_str().expect("a text is one").to_owned()
    }

    /// What a field holds.
    pub fn value(&self) -> String {
        self.ask("/property/value")
            .as_str()
            .expect("a field has a value")
            .to_owned()
    }

    pub fn is_shown(&self) -> bool {
        self.ask("/displayed") == true
    }

    pub fn is_active(&self) -> bool {
        self.ask("/enabled") == true
    }

    pub fn is_chosen(&self) -> bool {
        self.ask("/selected") == true
    }
}

/// A text within XPath 1.0, which knows no escape.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text} cannot be looked for");
    format!("\"{text}\"")
}

/// A browser that remembers in this folder alone, asks nobody on the network by itself, and writes down what it does.
fn capabilities(profile: &Path) -> Value {
    let mut arguments: Vec<String> = [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--hide-scrollbars",
        "--no-proxy-server",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-sync",
        "--disable-extensions",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    json!({
        "goog:chromeOptions": {
            "args": arguments,
            // Not the page that browsers begin with, which is a program of its own.
            "prefs": { "session.restore_on_startup": 4, "session.startup_urls": ["about:blank"] },
            "perfLoggingPrefs": { "enableNetwork": true, "enablePage": false },
        },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        "timeouts": { "implicit": LOOKING, "pageLoad": LOADING, "script": LOADING },
    })
}
