//! Requests to the OAuth endpoints in few words, and what every answer of theirs must be.
//!
//! ```text
//! let installation = Installation::start();
//! let client = installation.client("acme").register();
//! installation.token(&client).param("scope", "stock:read").send().refused(400, "invalid_scope");
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use mintmark::domain::Environment;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::installation::Installation;
use super::registration::Credentials;
use super::wire::{Answer, exchange};

/// One request, not sent yet.
#[derive(Clone)]
pub struct Request<'a> {
    installation: &'a Installation,
    method: &'a str,
    path: String,
    headers: Vec<(String, String)>,
    form: Vec<String>,
    body: Option<Vec<u8>>,
}

impl Installation {
    /// Any request.
    pub fn request<'a>(&'a self, method: &'a str, path: &str) -> Request<'a> {
        Request {
            installation: self,
            method,
            path: path.to_owned(),
            headers: Vec::new(),
            form: Vec::new(),
            body: None,
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send()
    }

    /// A form to one of the endpoints of an environment, by nobody yet.
    pub fn form(&self, environment: Environment, endpoint: &str) -> Request<'_> {
        self.request("POST", &format!("/{environment}/{endpoint}"))
    }

    /// A token request by HTTP Basic, complete.
    pub fn token(&self, client: &Credentials) -> Request<'_> {
        self.form(client.environment, "token")
            .basic(client)
            .param("grant_type", "client_credentials")
    }

    /// A token, which must be given.
    pub fn issue(&self, client: &Credentials) -> String {
        self.token(client).send().issued()
    }

    pub fn introspect(&self, asking: &Credentials, token: &str) -> Answer {
        let request = self.form(asking.environment, "introspect").basic(asking);
        request.param("token", token).send()
    }

    pub fn revoke(&self, asking: &Credentials, token: &str) -> Answer {
        let request = self.form(asking.environment, "revoke").basic(asking);
        request.param("token", token).send()
    }

    /// Whether introspection confirms `token` to `asking`.
    pub fn is_active(&self, asking: &Credentials, token: &str) -> bool {
        let answer = self.introspect(asking, token);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let active = answer.json()["active"].as_bool().expect("active is a boolean");
        assert_eq!(active, answer.text() != INACTIVE, "{}", answer.text());
        active
    }
}

/// The whole of what introspection says of a token that is not active (RFC 7662 §2.2).
pub const INACTIVE: &str = r#"{"active":false}"#;

impl Request<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Credentials in the header, form-encoded as RFC 6749 §2.3.1 wants them.
    pub fn basic(self, client: &Credentials) -> Self {
        let encode = |half: &str| byte_serialize(half.as_bytes()).collect::<String>();
        self.basic_octets(format!("{}:{}", encode(&client.client_id), encode(&client.secret)).as_bytes())
    }

    /// Whatever octets in the place of credentials.
    pub fn basic_octets(self, pair: &[u8]) -> Self {
        self.header("Authorization", &format!("Basic {}", STANDARD.encode(pair)))
    }

    /// Credentials in the body.
    pub fn posting(self, client: &Credentials) -> Self {
        self.param("client_id", &client.client_id)
            .param("client_secret", &client.secret)
    }

    /// One more parameter of the form.
    pub fn param(mut self, name: &str, value: &str) -> Self {
        let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        self.form.push(format!("{}={}", encode(name), encode(value)));
        self
    }

    /// One more piece of the form, as it is.
    pub fn raw(mut self, piece: &str) -> Self {
        self.form.push(piece.to_owned());
        self
    }

    /// A body in the place of the form. Its media type is that of a form unless a header says otherwise.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    pub fn send(self) -> Answer {
        exchange(self.installation.address, &self.octets())
    }

    /// The request as it goes over the wire.
    pub fn octets(&self) -> Vec<u8> {
        let body = self.body.clone().unwrap_or_else(|| self.form.join("&").into_bytes());
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: auth.example.com\r\nConnection: close\r\n",
            self.method, self.path
        );
        let says_type = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.method == "POST" && !says_type {
            head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
        }
        if !body.is_empty() || self.method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.into_bytes(), body].concat()
    }
}

impl Answer {
    /// The access token of a successful answer.
    pub fn issued(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["access_token"]
            .as_str()
            .expect("there is a token")
            .to_owned()
    }

    /// The claims of the token in a successful answer, unverified.
    pub fn claims(&self) -> Value {
        claims_of(&self.issued())
    }

    /// Holds the answer to what every error of an OAuth endpoint must be (RFC 6749 §5.2), with this status and code.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/json"), "{}", self.text());
        assert_eq!(self.header("cache-control"), Some("no-store"));
        assert_eq!(self.header("pragma"), Some("no-cache"));
        assert!(self.header("x-request-id").is_some());
        let body = self.json();
        assert_eq!(body["error"], error, "{body}");
        let description = body["error_description"].as_str().expect("there is a description");
        let legal = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(
            !description.is_empty() && description.bytes().all(legal),
            "{description:?}"
        );
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(2), "{body}");
        self
    }
}

/// The claims of a token, unverified.
pub fn claims_of(token: &str) -> Value {
    part_of(token, 1)
}

/// The header of a token, unverified.
pub fn header_of(token: &str) -> Value {
    part_of(token, 0)
}

fn part_of(token: &str, position: usize) -> Value {
    let part = token.split('.').nth(position).expect("a JWS has parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("a part is base64url")).expect("a part is JSON")
}
