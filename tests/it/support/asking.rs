//! Requests to the admin API, and their answers.
//!
//! Every answer a test gets has already been held against the description: its status is described for the route, its body
//! fits the schema, it forbids caching, a problem carries the id of the request, and nothing fails as only a server can.

use std::sync::LazyLock;

use mintmark::domain::Role;
use mintmark::http::admin::{OPENAPI, PREFIX};
use serde_json::Value;
use ureq::http::{HeaderMap, Request};

use super::admin_harness::Harness;
use super::schema::{misfits, resolve};

/// The id every request of a test has.
pub const REQUEST_ID: &str = "harness-request";

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// The description of the API.
pub fn description() -> &'static Value {
    &DESCRIPTION
}

/// A request on its way.
pub struct Ask<'a> {
    harness: &'a Harness,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl<'a> Ask<'a> {
    /// A request without credentials and body.
    pub fn new(harness: &'a Harness, method: &str, path: &str) -> Self {
        Self {
            harness,
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With this header in place of the one of that name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With one more header, whatever there is already.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without this header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// By the operator with this role.
    pub fn by(self, role: Role) -> Self {
        let token = format!("Bearer {}", self.harness.token(role));
        self.header("Authorization", &token)
    }

    /// By whoever has this token.
    pub fn with_token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// With this body.
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    /// With these bytes, said to be of this type.
    pub fn raw(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("Content-Type", content_type)
    }

    /// Sends it, and holds the answer against the description.
    pub fn send(self) -> Answer {
        let uri = format!("{}{PREFIX}{}", self.harness.address, self.path);
        let mut request = Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answered = if self.body.is_empty() && self.method != "POST" && self.method != "PATCH" {
            self.harness.agent.run(request.body(()).unwrap())
        } else {
            self.harness.agent.run(request.body(self.body).unwrap())
        };
        let answered = answered.unwrap();
        let (parts, mut body) = answered.into_parts();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: body.read_to_string().unwrap(),
        };
        answer.is_as_described(&self.method, &self.path);
        answer
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The fields that a problem with this status names.
    #[track_caller]
    pub fn faults(&self, status: u16) -> Vec<String> {
        let problem = self.expect(status);
        let faults = problem["errors"].as_array().into_iter().flatten();
        faults
            .map(|fault| fault["field"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The kind of a problem with this status.
    #[track_caller]
    pub fn problem(&self, status: u16) -> String {
        let problem = self.expect(status);
        problem["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }

    fn is_as_described(&self, method: &str, path: &str) {
        let place = format!("{method} {path}: {} {}", self.status, self.text);
        assert_eq!(self.header("Cache-Control"), "no-store", "{place}");
        assert!(self.status < 500 || self.status == 503, "{place}");
        if method == "HEAD" {
            assert_eq!(self.text, "", "{place}");
            return;
        }
        let problem = &description()["components"]["schemas"]["Problem"];
        if self.status >= 400 {
            assert_eq!(self.header("Content-Type"), "application/problem+json", "{place}");
            assert_eq!(self.json()["instance"], REQUEST_ID, "{place}");
            assert_eq!(self.json()["status"], self.status, "{place}");
            assert_eq!(misfits(description(), problem, &self.json()), [""; 0], "{place}");
        }
        let Some(operation) = operation(method, path) else {
            assert!([404, 405].contains(&self.status), "not described, but there: {place}");
            return;
        };
        let described = operation["responses"].get(self.status.to_string());
        let described = resolve(
            description(),
            described.unwrap_or_else(|| panic!("not described: {place}")),
        );
        for name in described["headers"]
            .as_object()
            .into_iter()
            .flat_map(|headers| headers.keys())
        {
            assert!(self.headers.contains_key(name), "without {name}: {place}");
        }
        if self.header("Content-Type").starts_with("text/csv") {
            assert!(described["content"]["text/csv"].is_object(), "{place}");
        } else if self.status < 400 {
            assert_eq!(self.header("Content-Type"), "application/json", "{place}");
            let schema = &described["content"]["application/json"]["schema"];
            assert_eq!(misfits(description(), schema, &self.json()), [""; 0], "{place}");
        }
    }
}

/// What is described for a method and a concrete path.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = format!("{PREFIX}{}", path.split('?').next().unwrap());
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let wanted: Vec<&str> = template.split('/').collect();
        wanted.len() == parts.len()
            && wanted
                .iter()
                .zip(&parts)
                .all(|(wanted, part)| wanted == part || (wanted.starts_with('{') && !part.is_empty()))
    };
    let paths = description()["paths"].as_object().unwrap();
    let exact = paths.get(&path);
    let found = exact.or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, item)| item));
    found?.get(method.to_ascii_lowercase())
}
