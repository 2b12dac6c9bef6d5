//! Where the story is told: a step is one exchange, what was expected of it, what was seen, and how to repeat it.

use std::net::SocketAddr;

use serde_json::Value;
use ureq::http::Method;
use zeroize::Zeroizing;

use super::cast::Account;
use super::curl::{Named, curl};
use crate::app::Ambient;
use crate::cli::conversation::json;
use crate::cli::failure::Failure;
use crate::cli::wire::{Answer, Credentials, Payload, Request, Trust, Wire};
use crate::domain::{Environment, Timestamp};

/// One thing that was done and what came of it.
struct Step<'a> {
    title: &'a str,
    expected: &'a str,
    /// What was seen: as expected, or not.
    seen: Result<String, String>,
    /// The command that repeats it.
    by_hand: String,
}

/// What somebody saw in an answer: what they expected, or something else.
pub(super) type Seen = Result<String, String>;

/// What somebody expects of an answer.
pub(super) struct Expectation<'a> {
    text: String,
    look: Box<dyn FnOnce(&Answer) -> Seen + 'a>,
}

impl<'a> Expectation<'a> {
    /// `text` names it for whoever reads that it was not met.
    pub(super) fn new(text: impl Into<String>, look: impl FnOnce(&Answer) -> Seen + 'a) -> Self {
        Self {
            text: text.into(),
            look: Box::new(look),
        }
    }
}

/// A running server, an operator's token, and somebody who listens.
pub(super) struct Stage {
    wire: Wire,
    public: String,
    admin: String,
    token: Zeroizing<String>,
    ambient: Ambient,
    named: Vec<Named>,
    tell: Box<dyn FnMut(String) + Send>,
    steps: usize,
}

impl Stage {
    /// At the public and the admin listener.
    pub(super) fn new(
        listeners: (SocketAddr, SocketAddr),
        token: &str,
        ambient: &Ambient,
        tell: Box<dyn FnMut(String) + Send>,
    ) -> Result<Self, Failure> {
        let (public, admin) = listeners;
        Ok(Self {
            wire: Wire::new(&Trust::Public)?,
            public: format!("http://{public}"),
            admin: format!("http://{admin}"),
            token: Zeroizing::new(token.to_owned()),
            ambient: ambient.clone(),
            named: Vec::new(),
            tell,
            steps: 0,
        })
    }

    /// Begins a scene.
    pub(super) fn scene(&mut self, title: &str) {
        let rule = "─".repeat(76_usize.saturating_sub(title.chars().count()));
        (self.tell)(format!("\n── {title} {rule}\n"));
    }

    /// Plays one step and tells it.
    ///
    /// # Errors
    /// When there is no answer, or not the one that was expected.
    pub(super) fn step(
        &mut self,
        title: &str,
        request: &Request,
        expectation: Expectation<'_>,
    ) -> Result<Answer, Failure> {
        let answer = self.wire.send(request)?;
        let step = Step {
            title,
            expected: &expectation.text,
            seen: (expectation.look)(&answer),
            by_hand: self.by_hand(request),
        };
        (self.tell)(step.text());
        self.steps += 1;
        match step.seen {
            Ok(_) => Ok(answer),
            Err(seen) => Err(Failure::failed(format!("this step did not hold: {title}"))
                .and(format!("expected: {}", expectation.text))
                .and(format!("seen: {seen}"))),
        }
    }

    /// From here on the lines to repeat by hand have a variable in place of `value`.
    pub(super) fn name(&mut self, name: &'static str, value: &str) {
        let named = Named {
            name,
            value: value.to_owned(),
        };
        (self.tell)(format!("      $ {}", named.assignment()));
        self.named.push(named);
    }

    /// The same for the operator's token.
    pub(super) fn name_the_operator(&mut self) {
        let token = self.token.clone();
        self.name("OPERATOR", &token);
    }

    /// The line that repeats `request` by hand.
    pub(super) fn by_hand(&self, request: &Request) -> String {
        curl(request, &self.named)
    }

    /// Says how many steps held.
    pub(super) fn curtain(&mut self) {
        (self.tell)(format!("\nAll {} steps held.", self.steps));
    }

    /// The moment of the machine.
    pub(super) fn now(&self) -> Timestamp {
        self.ambient.clock.now()
    }

    /// What the tokens of `environment` name as their issuer.
    pub(super) fn issuer(&self, environment: Environment) -> String {
        format!("{}/{environment}", self.public)
    }

    /// The operator asks.
    pub(super) fn asks(&self, path: &str) -> Request {
        self.admin_request(Method::GET, path)
    }

    /// The operator makes or does something.
    pub(super) fn does(&self, path: &str, body: Option<&Value>) -> Request {
        let mut request = self.admin_request(Method::POST, path);
        request.payload = body.map_or(Payload::None, json);
        request
    }

    /// The operator changes something, whatever it is now.
    pub(super) fn changes(&self, path: &str, body: &Value) -> Request {
        let mut request = self.admin_request(Method::PATCH, path);
        request.headers.push(("If-Match", "*".to_owned()));
        request.payload = json(body);
        request
    }

    /// A client asks for a token (RFC 6749 §4.4.2).
    pub(super) fn token(&self, environment: Environment, account: &Account, scope: Option<&str>) -> Request {
        let mut fields = vec![("grant_type", "client_credentials".to_owned())];
        fields.extend(scope.map(|scope| ("scope", scope.to_owned())));
        form(self.endpoint(environment, "token"), account, fields)
    }

    /// A resource server asks about a token (RFC 7662 §2.1).
    pub(super) fn introspection(&self, environment: Environment, account: &Account, token: &str) -> Request {
        form(
            self.endpoint(environment, "introspect"),
            account,
            vec![("token", token.to_owned())],
        )
    }

    /// Anybody asks for the keys (RFC 7517 §5).
    pub(super) fn jwks(&self, environment: Environment) -> Request {
        Request::new(Method::GET, self.endpoint(environment, "jwks"))
    }

    fn endpoint(&self, environment: Environment, name: &str) -> String {
        format!("{}/{name}", self.issuer(environment))
    }

    fn admin_request(&self, method: Method, path: &str) -> Request {
        let mut request = Request::new(method, format!("{}/admin/v1{path}", self.admin));
        request.credentials = Credentials::Bearer(self.token.clone());
        request
    }
}

fn form(url: String, account: &Account, fields: Vec<(&'static str, String)>) -> Request {
    let mut request = Request::new(Method::POST, url);
    request.credentials = Credentials::Basic(account.client_id.clone(), account.secret.clone());
    request.payload = Payload::Form(fields);
    request
}

impl Step<'_> {
    fn text(&self) -> String {
        let (mark, seen) = match &self.seen {
            Ok(seen) => ("✓", seen.replace('\n', "\n      ")),
            Err(seen) => ("✗", format!("expected {}\n      but saw {seen}", self.expected)),
        };
        format!("  {mark} {}\n      {seen}\n      $ {}", self.title, self.by_hand)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::super::cast::status;
    use super::*;

    #[test]
    fn a_step_tells_what_was_seen_and_how_to_repeat_it() {
        let text = |seen: Seen| {
            let step = Step {
                title: "Acme asks",
                expected: "200",
                seen,
                by_hand: "curl -s http://h".to_owned(),
            };
            step.text()
        };
        assert_eq!(
            text(Ok("200\nand more".to_owned())),
            "  ✓ Acme asks\n      200\n      and more\n      $ curl -s http://h"
        );
        assert_eq!(
            text(Err("503".to_owned())),
            "  ✗ Acme asks\n      expected 200\n      but saw 503\n      $ curl -s http://h"
        );
    }

    #[test]
    fn a_step_that_does_not_hold_is_told_and_fails() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut buffer = [0; 4096];
            assert_ne!(connection.read(&mut buffer).unwrap(), 0);
            connection
                .write_all(b"HTTP/1.1 500 Oh\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
                .unwrap();
        });
        let (sender, told) = channel();
        let tell = Box::new(move |text| sender.send(text).unwrap());
        let mut stage = Stage::new((address, address), "mmo_x", &Ambient::of_the_machine(), tell).unwrap();
        let request = stage.asks("/clients");
        let failure = stage.step("asks", &request, status(200)).unwrap_err();
        server.join().unwrap();
        assert_eq!(
            failure.sentences,
            ["this step did not hold: asks", "expected: 200", "seen: 500 {}"]
        );
        assert!(
            told.recv()
                .unwrap()
                .starts_with("  ✗ asks\n      expected 200\n      but saw 500 {}\n")
        );
    }
}
