//! What goes wrong at the admin API, as `application/problem+json` (RFC 9457). One exhaustive mapping of every cause.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use log::Level;
use serde::Serialize;

use crate::domain::{Refusal, RequestId};
use crate::office::OfficeError;
use crate::store::StoreError;

/// The challenge of RFC 6750 §3, before its `error`.
const CHALLENGE: &str = r#"Bearer realm="mintmark-admin""#;
/// How long to wait before asking a store again that did not answer, in seconds.
const STORE_RETRY: u64 = 1;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fault {
    /// The field's path, the parameter's or the header's name.
    pub(crate) field: String,
    /// Completes a sentence that begins with the field.
    pub(crate) reason: &'static str,
}

impl Fault {
    pub(crate) fn new(field: impl Into<String>, reason: &'static str) -> Self {
        Self {
            field: field.into(),
            reason,
        }
    }
}

/// Why a request is not served. Holds nothing of what was sent but the names of members that nobody knows.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The request as a whole is not one.
    Malformed(Cow<'static, str>),
    /// These fields are not what they should be.
    Fields(Vec<Fault>),
    /// No credentials came.
    NoCredentials,
    /// The credentials are not one bearer token (RFC 6750 §3.1, `invalid_request`).
    MalformedCredentials,
    /// The token does not count (RFC 6750 §3.1, `invalid_token`).
    InvalidToken,
    /// Too many failed authentications from this address.
    TooManyFailures(Duration),
    /// There is no such path.
    NoSuchPath,
    /// The path has other methods: these.
    NoSuchMethod(String),
    /// The body is longer than it may be.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The body is not JSON by its media type.
    NotJson,
    /// `If-Match` is missing (RFC 6585 §3).
    NoPrecondition,
    /// The office said no.
    Refused(Refusal),
    /// The office cannot answer now. The cause is for the log.
    Unavailable(String),
    /// Something broke. The cause is for the log.
    Broken(String),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fields(vec![fault])
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        OfficeError::Store(error).into()
    }
}

impl From<OfficeError> for Problem {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Refused(refusal) => Self::Refused(refusal),
            OfficeError::Store(error @ StoreError::Unavailable(_)) => Self::Unavailable(error.to_string()),
            OfficeError::Store(error @ StoreError::Corrupt(_)) => Self::Broken(error.to_string()),
            OfficeError::Key(error) => Self::Broken(format!("a signing key could not be made: {error}")),
        }
    }
}

/// What is the same for every problem of a kind.
struct Kind {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
}

impl Kind {
    const fn new(status: StatusCode, slug: &'static str, title: &'static str) -> Self {
        Self { status, slug, title }
    }
}

/// The members of RFC 9457 §3.1, and `errors`.
#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a RequestId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

impl Problem {
    /// The answer to the request with this id.
    pub(super) fn answer(self, request_id: Option<&RequestId>) -> HttpResponse {
        let kind = self.kind();
        let mut answer = HttpResponse::build(kind.status);
        if let Some((name, value)) = self.header() {
            answer.insert_header((name, value));
        }
        let body = Body {
            r#type: format!("urn:mintmark:problem:{}", kind.slug),
            title: kind.title,
            status: kind.status.as_u16(),
            detail: self.detail(),
            instance: request_id,
            errors: self.errors(),
        };
        let json = serde_json::to_string(&body).expect("a problem has text keys and no failing serializer");
        answer
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .content_type("application/problem+json")
            .body(json)
    }

    /// The header that goes with it.
    pub(crate) fn header(&self) -> Option<(header::HeaderName, String)> {
        let challenge = |error| (header::WWW_AUTHENTICATE, format!(r#"{CHALLENGE}, error="{error}""#));
        match self {
            Self::NoCredentials => Some((header::WWW_AUTHENTICATE, CHALLENGE.to_owned())),
            Self::MalformedCredentials => Some(challenge("invalid_request")),
            Self::InvalidToken => Some(challenge("invalid_token")),
            Self::Refused(Refusal::Forbidden { .. }) => Some(challenge("insufficient_scope")),
            Self::TooManyFailures(wait) => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                Some((header::RETRY_AFTER, seconds.max(1).to_string()))
            }
            Self::Unavailable(_) => Some((header::RETRY_AFTER, STORE_RETRY.to_string())),
            Self::NoSuchMethod(methods) => Some((header::ALLOW, methods.clone())),
            Self::Malformed(_)
            | Self::Fields(_)
            | Self::NoSuchPath
            | Self::TooLarge
            | Self::TooSlow
            | Self::NotJson
            | Self::NoPrecondition
            | Self::Refused(_)
            | Self::Broken(_) => None,
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Malformed(_) | Self::MalformedCredentials => {
                Kind::new(StatusCode::BAD_REQUEST, "invalid-request", "Invalid request")
            }
            Self::Fields(_) | Self::Refused(Refusal::Invalid { .. }) => {
                Kind::new(StatusCode::BAD_REQUEST, "invalid-fields", "Invalid fields")
            }
            Self::NoCredentials | Self::InvalidToken => {
                Kind::new(StatusCode::UNAUTHORIZED, "unauthenticated", "Not authenticated")
            }
            Self::TooManyFailures(_) => Kind::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-failures",
                "Too many failed authentications",
            ),
            Self::NoSuchPath | Self::Refused(Refusal::NotFound(_)) => {
                Kind::new(StatusCode::NOT_FOUND, "not-found", "Not found")
            }
            Self::NoSuchMethod(_) => Kind::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
            ),
            Self::TooLarge => Kind::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "Body too large"),
            Self::TooSlow => Kind::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "Body too slow"),
            Self::NotJson => Kind::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
            ),
            Self::NoPrecondition => Kind::new(
                StatusCode::PRECONDITION_REQUIRED,
                "precondition-required",
                "Precondition required",
            ),
            Self::Refused(Refusal::Taken { .. }) => Kind::new(StatusCode::CONFLICT, "taken", "Taken"),
            Self::Refused(Refusal::State(_) | Refusal::TooEarly { .. }) => {
                Kind::new(StatusCode::CONFLICT, "conflict", "Conflict")
            }
            Self::Refused(Refusal::Stale) => Kind::new(StatusCode::PRECONDITION_FAILED, "stale", "Stale"),
            Self::Refused(Refusal::Forbidden { .. }) => Kind::new(StatusCode::FORBIDDEN, "forbidden", "Forbidden"),
            Self::Refused(Refusal::KeyReused) => {
                Kind::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "Idempotency key reused")
            }
            Self::Unavailable(_) => Kind::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Unavailable"),
            Self::Broken(_) => Kind::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal error"),
        }
    }

    /// The status of its answer, and what all problems of its kind are called.
    pub(crate) fn kind_of_answer(&self) -> (StatusCode, &'static str) {
        let kind = self.kind();
        (kind.status, kind.title)
    }

    /// A sentence about this case.
    pub(crate) fn detail(&self) -> Cow<'_, str> {
        match self {
            Self::Malformed(detail) => Cow::Borrowed(detail),
            Self::Fields(faults) => match &faults[..] {
                [Fault { field, reason }] => Cow::Owned(format!("{field} {reason}.")),
                _ => Cow::Borrowed("Several fields are not what they should be."),
            },
            Self::NoCredentials => Cow::Borrowed("Send an operator's token: Authorization: Bearer mmo_…."),
            Self::MalformedCredentials => Cow::Borrowed("The Authorization header is not that of one bearer token."),
            Self::InvalidToken => Cow::Borrowed("The token does not count: it is unknown, expired or revoked."),
            Self::TooManyFailures(_) => Cow::Borrowed("Too many failed authentications came from this address."),
            Self::NoSuchPath => Cow::Borrowed("There is no such path."),
            Self::NoSuchMethod(_) => Cow::Borrowed("The path has other methods: see Allow."),
            Self::TooLarge => Cow::Borrowed("The body is longer than this server reads."),
            Self::TooSlow => Cow::Borrowed("The body did not come in time."),
            Self::NotJson => Cow::Borrowed("The body must be JSON, and the Content-Type must say so."),
            Self::NoPrecondition => {
                Cow::Borrowed("If-Match is missing: send the ETag of what was read, or * for whatever it is now.")
            }
            Self::Refused(refusal) => Cow::Owned(sentence(&refusal.to_string())),
            Self::Unavailable(_) => {
                Cow::Borrowed("The store does not answer. Whether a change was made is unknown; ask again.")
            }
            Self::Broken(_) => Cow::Borrowed("Something broke. The log tells what, under the id of this request."),
        }
    }

    /// What is wrong with which field.
    pub(crate) fn errors(&self) -> Vec<Fault> {
        match self {
            Self::Fields(faults) => faults.clone(),
            Self::Refused(Refusal::Invalid { field, reason }) => vec![Fault::new(*field, reason.reason())],
            Self::Refused(Refusal::Taken { field, .. }) => vec![Fault::new(*field, "is taken")],
            _ => Vec::new(),
        }
    }

    /// How urgent it is that an operator reads of it, and what; none where only the caller needs to know.
    pub(crate) fn for_the_log(&self) -> Option<(Level, Cow<'_, str>)> {
        Some(match self {
            Self::Broken(cause) => (Level::Error, Cow::Owned(format!("administration failed: {cause}"))),
            Self::Unavailable(cause) => (Level::Warn, Cow::Owned(format!("administration failed: {cause}"))),
            Self::InvalidToken => (Level::Warn, "an operator's token did not count".into()),
            Self::TooManyFailures(_) => (Level::Warn, "too many operators' tokens did not count".into()),
            Self::NoCredentials | Self::MalformedCredentials => (Level::Info, "no operator's token came".into()),
            Self::Refused(Refusal::Forbidden { needs }) => {
                let needs = needs.as_str();
                (
                    Level::Info,
                    Cow::Owned(format!("an operator's role did not suffice: {needs} is needed")),
                )
            }
            _ => return None,
        })
    }
}

/// A refusal as a sentence: it begins in the upper case, unless with the name of a field, and ends with a full stop.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
