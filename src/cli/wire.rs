//! Requests this program sends and what comes back. Everything has an end: connecting, waiting, the size of an answer.
//!
//! A [`Request`] is a value, so that what is sent can be shown too. No redirect is followed and no proxy asked: a token goes
//! to the server it was given for and nowhere else.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{self, Method};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::failure::{Exit, Failure};

/// For the connection alone.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// For a whole exchange.
const TIMEOUT: Duration = Duration::from_secs(30);
/// In bytes: a page of the journal with the longest rows there can be is smaller.
const LARGEST_ANSWER: u64 = 32 << 20;

/// Who asks.
#[derive(Clone)]
pub(super) enum Credentials {
    /// Nobody in particular.
    None,
    /// An operator, by a bearer token (RFC 6750 §2.1).
    Bearer(Zeroizing<String>),
    /// A client, by its id and secret (RFC 6749 §2.3.1). Ours need no form-encoding.
    Basic(String, Zeroizing<String>),
}

/// What is sent along.
#[derive(Clone)]
pub(super) enum Payload {
    /// Nothing.
    None,
    /// A JSON text; wiped, since it may hold a private key.
    Json(Zeroizing<String>),
    /// A form.
    Form(Vec<(&'static str, String)>),
}

/// One request.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) credentials: Credentials,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Payload,
}

/// One answer.
pub(super) struct Answer {
    pub(super) status: u16,
    /// The entity tag (RFC 9110 §8.8.3), as it stands in the header.
    pub(super) etag: Option<String>,
    /// Whether it repeats the answer to an earlier request with the same idempotency key.
    pub(super) is_repeated: bool,
    /// The body; `Null` when there is none or it is not JSON.
    pub(super) body: Value,
}

/// The body may hold a secret.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Request {
    pub(super) fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            credentials: Credentials::None,
            headers: Vec::new(),
            payload: Payload::None,
        }
    }
}

/// Whose certificates are believed.
pub(super) enum Trust<'a> {
    /// The public authorities'.
    Public,
    /// Those in this PEM file.
    File(&'a Path),
    /// Anybody's: for a question without a secret to this very machine.
    Anyone,
}

/// What sends requests.
pub(super) struct Wire(Agent);

impl Wire {
    pub(super) fn new(trust: &Trust<'_>) -> Result<Self, Failure> {
        let tls = match trust {
            Trust::Public => TlsConfig::builder(),
            Trust::File(path) => TlsConfig::builder().root_certs(roots(path)?),
            Trust::Anyone => TlsConfig::builder().disable_verification(true),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("mintmark/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build();
        Ok(Self(config.new_agent()))
    }

    /// Sends `request` and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// When there is no answer, or not one within the bounds.
    pub(super) fn send(&self, request: &Request) -> Result<Answer, Failure> {
        self.exchange(request).map_err(|error| no_answer(&request.url, &error))
    }

    fn exchange(&self, request: &Request) -> Result<Answer, ureq::Error> {
        let mut head = http::Request::builder()
            .method(request.method.clone())
            .uri(&request.url);
        match &request.credentials {
            Credentials::None => {}
            Credentials::Bearer(token) => head = head.header("authorization", format!("Bearer {}", **token)),
            Credentials::Basic(client_id, secret) => head = head.header("authorization", basic(client_id, secret)),
        }
        for (name, value) in &request.headers {
            head = head.header(*name, value);
        }
        let response = match &request.payload {
            Payload::None if request.method == Method::GET => self.0.run(head.body(())?)?,
            Payload::None => self.0.run(head.body("")?)?,
            Payload::Json(text) => {
                let request = head.header("content-type", "application/json").body(text.as_str())?;
                self.0.run(request)?
            }
            Payload::Form(fields) => {
                let body = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish();
                let head = head.header("content-type", "application/x-www-form-urlencoded");
                self.0.run(head.body(body)?)?
            }
        };
        answer(response)
    }
}

fn answer(mut response: http::Response<Body>) -> Result<Answer, ureq::Error> {
    let bytes = response.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec()?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: response.status().as_u16(),
        etag: header("etag").map(str::to_owned),
        is_repeated: header("idempotency-replayed").is_some(),
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    })
}

fn basic(client_id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let pair = Zeroizing::new(format!("{client_id}:{secret}"));
    format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(pair.as_bytes())
    )
}

fn roots(path: &Path) -> Result<RootCerts, Failure> {
    let refused = |reason: String| Failure::failed(format!("{} {reason}", path.display()));
    let pem = std::fs::read(path).map_err(|error| refused(format!("cannot be read: {error}")))?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(refused("is not PEM".to_owned())),
        }
    }
    if certificates.is_empty() {
        return Err(refused("holds no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Of all that can go wrong, what a person can do something about is told apart.
fn no_answer(url: &str, error: &ureq::Error) -> Failure {
    let server = url.split('/').take(3).collect::<Vec<_>>().join("/");
    let reason = match error {
        ureq::Error::Io(error) => error.to_string(),
        ureq::Error::Timeout(_) => "not in time".to_owned(),
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::BodyExceedsLimit(_) => {
            return Failure::failed(format!("{server} answered with more than {LARGEST_ANSWER} bytes"));
        }
        other => other.to_string(),
    };
    Failure::new(Exit::Unavailable, format!("no answer from {server}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_what_rfc_7617_shows() {
        // RFC 7617 §2: user-id "Aladdin", password "open sesame".
        assert_eq!(basic("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn an_answer_is_never_written_with_its_body() {
        let answer = Answer {
            status: 201,
            etag: None,
            is_repeated: false,
            body: serde_json::json!({ "client_secret": "mms_qa_hunter2" }),
        };
        assert_eq!(format!("{answer:?}"), "Answer { status: 201, .. }");
    }

    #[test]
    fn a_file_without_certificates_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let Err(refused) = roots(file.path()) else {
            panic!("an empty file is no authority");
        };
        assert!(refused.sentences[0].ends_with("holds no certificate"), "{refused:?}");
        assert!(roots(Path::new("/nowhere/ca.pem")).is_err());
    }
}
