//! WebDriver, in the few words the tests need, over HTTP to Debian's chromedriver. There is one driver for all tests that run at a
//! time, and a Chromium for each of its sessions; both end with whoever holds them.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::{Method, Request};

use super::shared::Shared;

/// How long a command may take. A browser may have to be started for it, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
/// The longest answer that is read, in bytes: a screenshot or a log.
const LONGEST_ANSWER: u64 = 64 << 20;

static DRIVER: Shared<Driver> = Shared::new();

struct Driver {
    process: Child,
    address: String,
    agent: Agent,
    /// Open until its end, since it may want to write.
    _told: BufReader<ChildStdout>,
    /// Where Chromium leaves what belongs to no profile.
    _home: TempDir,
}

impl Driver {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("chromedriver does not start ({error}): run scripts/test.sh, which installs it and its browser")
            });
        let mut told = BufReader::new(process.stdout.take().expect("it is piped"));
        let address = format!("http://127.0.0.1:{}", port(&mut told));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Self {
            process,
            address,
            agent: config.into(),
            _told: told,
            _home: home,
        }
    }

    /// Sends a command; the error is the driver's sentence.
    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.expect("chromedriver answers");
        let text = answer
            .body_mut()
            .with_config()
            .limit(LONGEST_ANSWER)
            .read_to_string()
            .unwrap();
        let mut told: Value = serde_json::from_str(&text).expect("chromedriver answers in JSON");
        if answer.status().is_success() {
            Ok(told["value"].take())
        } else {
            Err(told["value"]["message"].as_str().unwrap_or(&text).to_owned())
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The port it took, from what it says.
fn port(told: &mut impl BufRead) -> u16 {
    let mut all = String::new();
    loop {
        let begin = all.len();
        assert_ne!(told.read_line(&mut all).unwrap_or(0), 0, "chromedriver ended: {all}");
        let named = all[begin..].split_once("successfully on port ");
        if let Some((_, port)) = named {
            return port
                .trim_end()
                .trim_end_matches('.')
                .parse()
                .expect("a port is a number");
        }
    }
}

/// One browser.
pub struct Session {
    driver: Arc<Driver>,
    path: String,
}

impl Session {
    /// Starts one with these capabilities.
    pub fn begin(capabilities: &Value) -> Self {
        let driver = DRIVER.get(Driver::start);
        let wanted = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let begun = driver.send(Method::POST, "/session", Some(&wanted));
        let begun = begun.unwrap_or_else(|fault| panic!("Chromium does not start: {fault}"));
        let id = begun["sessionId"].as_str().expect("a session has an id");
        Self {
            path: format!("/session/{id}"),
            driver,
        }
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.driver.send(Method::GET, &format!("{}{path}", self.path), None);
        answer.unwrap_or_else(|fault| panic!("GET {path}: {fault}"))
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.try_post(path, body);
        answer.unwrap_or_else(|fault| panic!("POST {path}: {fault}"))
    }

    /// What came of a command that may fail.
    pub fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.driver
            .send(Method::POST, &format!("{}{path}", self.path), Some(body))
    }

    /// A command of Chromium's own protocol.
    pub fn cdp(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A browser that is gone already is what is wanted.
        let _ = self.driver.send(Method::DELETE, &self.path, None);
    }
}
