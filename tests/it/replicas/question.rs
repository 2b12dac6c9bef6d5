//! What is asked of the replicas again and again, and what their answers come to.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::connection::Answer;
use crate::support::calls::Credentials;

/// A request that can be sent any number of times.
#[derive(Clone)]
pub struct Question {
    /// What it is about: the place of a subject in the test's list.
    pub subject: usize,
    pub asks: Asks,
    pub octets: Arc<[u8]>,
}

/// What a question is after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    Token,
    /// Whether a token still holds that was signed with the key of this `kid`.
    Introspection(String),
    KeySet,
}

/// What an answer comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    Token {
        scope: String,
        kid: String,
    },
    Active {
        scope: String,
    },
    Inactive,
    Keys {
        kids: Vec<String>,
        max_age: u64,
    },
    /// A plain no, with its status.
    Refused(u16),
    /// 503 with `Retry-After`.
    Unavailable,
    /// The connection was refused, or ended before an answer had come.
    Nothing,
}

impl Told {
    /// Whether it says yes to anything.
    pub const fn is_yes(&self) -> bool {
        matches!(self, Self::Token { .. } | Self::Active { .. } | Self::Keys { .. })
    }

    /// Whether the replica knew what to say.
    pub const fn is_known(&self) -> bool {
        !matches!(self, Self::Unavailable | Self::Nothing)
    }
}

impl Question {
    pub fn token(subject: usize, environment: &str, client: &Credentials) -> Self {
        let octets = form(
            &format!("/{environment}/token"),
            client,
            "grant_type=client_credentials",
        );
        Self {
            subject,
            asks: Asks::Token,
            octets,
        }
    }

    /// By the resource server `asking`.
    pub fn introspection(subject: usize, environment: &str, (asking, token): (&Credentials, &str)) -> Self {
        let octets = form(&format!("/{environment}/introspect"), asking, &format!("token={token}"));
        Self {
            subject,
            asks: Asks::Introspection(kid(token)),
            octets,
        }
    }

    pub fn key_set(subject: usize, environment: &str) -> Self {
        let octets = format!("GET /{environment}/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n");
        Self {
            subject,
            asks: Asks::KeySet,
            octets: octets.into_bytes().into(),
        }
    }

    /// What `answer` says to this question.
    pub fn read(&self, answer: &Answer) -> Told {
        match (answer.status, &self.asks) {
            (200, Asks::Token) => {
                let token = json(&answer.body)["access_token"].as_str().map(str::to_owned);
                let token = token.expect("there is a token");
                Told::Token {
                    scope: text(&part(&token, 1)["scope"]),
                    kid: kid(&token),
                }
            }
            (200, Asks::Introspection(_)) => match json(&answer.body) {
                body if body["active"] == true => Told::Active {
                    scope: text(&body["scope"]),
                },
                body => {
                    assert_eq!(body, serde_json::json!({ "active": false }));
                    Told::Inactive
                }
            },
            (200, Asks::KeySet) => Told::Keys {
                kids: kids(&json(&answer.body)),
                max_age: max_age(answer),
            },
            (503, _) => {
                assert_eq!(answer.header("retry-after"), Some("1"), "{answer:?}");
                Told::Unavailable
            }
            (status, _) => Told::Refused(status),
        }
    }
}

/// A form in the name of a client. Nothing in it needs encoding.
fn form(path: &str, client: &Credentials, form: &str) -> Arc<[u8]> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        client.basic(),
        form.len()
    );
    (head + form).into_bytes().into()
}

/// The `kid` in the header of a token.
pub fn kid(token: &str) -> String {
    text(&part(token, 0)["kid"])
}

fn part(token: &str, which: usize) -> Value {
    let part = token.split('.').nth(which).expect("a JWS has parts");
    json(&URL_SAFE_NO_PAD.decode(part).expect("they are base64url"))
}

fn kids(set: &Value) -> Vec<String> {
    let keys = set["keys"].as_array().expect("it is a set of keys");
    keys.iter().map(|key| text(&key["kid"])).collect()
}

fn max_age(answer: &Answer) -> u64 {
    let control = answer.header("cache-control").expect("the key set may be kept");
    let seconds = control.split("max-age=").nth(1).expect("for so long");
    seconds.parse().expect("it is a number of seconds")
}

fn json(octets: &[u8]) -> Value {
    serde_json::from_slice(octets).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(octets)))
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}
