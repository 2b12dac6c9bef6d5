//! Every way an OAuth endpoint says no, and the one place where each becomes an answer (RFC 6749 §5.2, RFC 6585, RFC 9110).
//!
//! Two texts, of two types: [`ErrorDescription`] is what the caller reads, `Display` of the cause is what the operator reads in the
//! log. Neither can be put in the place of the other.

use std::borrow::Cow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;
use thiserror::Error;

use super::basic::BasicFault;
use super::form::FormFault;
use super::rate_limit;
use crate::authority::{AuthorityError, Denial};
use crate::domain::{Environment, Limit};
use crate::registry::Policy;

/// Why a request to an OAuth endpoint was not served.
#[derive(Debug, Error)]
pub enum OAuthError {
    /// The body is larger than this listener reads.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not come in time.
    #[error("the body did not come in time")]
    TooSlow,
    /// The body broke off.
    #[error("the body broke off")]
    BrokenOff,
    /// The media type is not that of a form.
    #[error("the media type is not application/x-www-form-urlencoded")]
    MediaType,
    /// The body is not a form.
    #[error(transparent)]
    Form(#[from] FormFault),
    /// A secret came in the body without the client it belongs to.
    #[error("client_secret without client_id")]
    MissingClientId,
    /// Client authentication was tried in more than one way, or twice.
    #[error("more than one client authentication in one request")]
    TwoMethods,
    /// The body names another client than the header.
    #[error("the client_id in the body is not the one in the header")]
    DifferentClient,
    /// There is no client authentication in the request, or of a kind that is not served.
    #[error("no client authentication of a kind that is served")]
    NoCredentials,
    /// The `Authorization` header cannot be read.
    #[error(transparent)]
    Basic(#[from] BasicFault),
    /// The endpoint exists, the method does not.
    #[error("the method is not allowed")]
    Method,
    /// The authority said no.
    #[error(transparent)]
    Authority(#[from] Denial),
}

/// The `error` member (RFC 6749 §5.2, RFC 8707 §2). There is no registered code for an overload at this endpoint;
/// `temporarily_unavailable` is the one other endpoints have for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed.
    InvalidRequest,
    /// The client is not authenticated.
    InvalidClient,
    /// The client may not do this.
    UnauthorizedClient,
    /// Only `client_credentials` is served.
    UnsupportedGrantType,
    /// The scope is malformed, unknown or too much.
    InvalidScope,
    /// The resource is malformed, unknown or not for this client.
    InvalidTarget,
    /// Try again later.
    TemporarilyUnavailable,
}

/// What the caller reads: printable ASCII without quote and backslash (RFC 6749 §5.2), never an echo of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ErrorDescription(Cow<'static, str>);

impl ErrorDescription {
    const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// A field and the fixed reason why it was refused.
    fn of_field(field: &str, reason: &crate::domain::Invalid) -> Self {
        Self(Cow::Owned(
            format!("{field} {}", reason.reason()).replace(['"', '\\'], "'"),
        ))
    }
}

/// How an error is answered.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) code: ErrorCode,
    pub(super) description: ErrorDescription,
    /// Seconds after which the caller may try again.
    pub(super) retry_after: Option<u64>,
    /// The limit that is used up, where the caller may read its numbers.
    pub(super) exceeded: Option<(Policy, u64)>,
}

impl Refused {
    const fn new(status: StatusCode, code: ErrorCode, text: &'static str) -> Self {
        Self {
            status,
            code,
            description: ErrorDescription::fixed(text),
            retry_after: None,
            exceeded: None,
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: ErrorCode,
    error_description: &'a ErrorDescription,
}

/// After how many seconds a caller may come back when the store did not answer.
const STORE_RETRY: u64 = 1;

impl OAuthError {
    /// What the authority said, if it was asked.
    pub(super) const fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Authority(denial) => Some(denial),
            _ => None,
        }
    }

    /// The one mapping, of what HTTP and the form say.
    pub(super) fn refused(&self) -> Refused {
        let bad = |text| Refused::new(StatusCode::BAD_REQUEST, ErrorCode::InvalidRequest, text);
        match self {
            Self::TooLarge => Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::InvalidRequest,
                "the body is too large",
            ),
            Self::TooSlow => Refused::new(
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::InvalidRequest,
                "the body did not come in time",
            ),
            Self::BrokenOff => bad("the body broke off"),
            Self::MediaType => bad("the body must be application/x-www-form-urlencoded"),
            Self::Form(FormFault::Escape) => bad("the body holds a broken percent-escape"),
            Self::Form(FormFault::Encoding) => bad("the body is not UTF-8"),
            Self::Form(FormFault::Repeated) => bad("a parameter is sent more than once"),
            Self::Form(FormFault::TooMany) => bad("the body holds more than 64 parameters"),
            Self::MissingClientId => bad("client_secret is sent without client_id"),
            Self::TwoMethods => bad("the client must authenticate in exactly one way"),
            Self::DifferentClient => bad("client_id in the body differs from the one in the Authorization header"),
            Self::Method => Refused::new(
                StatusCode::METHOD_NOT_ALLOWED,
                ErrorCode::InvalidRequest,
                "this endpoint takes POST only",
            ),
            Self::NoCredentials => Refused::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidClient, NO_CREDENTIALS),
            Self::Basic(_) => Refused::new(StatusCode::UNAUTHORIZED, ErrorCode::InvalidClient, MALFORMED_BASIC),
            Self::Authority(denial) => refused_by_authority(&denial.why),
        }
    }

    /// The answer, with the challenge of `environment` where the client was not authenticated (RFC 9110 §11.6.1).
    pub(super) fn answer(&self, environment: Environment) -> HttpResponse {
        let refused = self.refused();
        let mut response = HttpResponse::build(refused.status);
        no_store(&mut response);
        if refused.status == StatusCode::UNAUTHORIZED {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                format!("Basic realm=\"{environment}\", charset=\"UTF-8\""),
            ));
        }
        if refused.status == StatusCode::METHOD_NOT_ALLOWED {
            response.insert_header((header::ALLOW, "POST"));
        }
        if let Some(seconds) = refused.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some((policy, wait)) = refused.exceeded {
            rate_limit::refused(&mut response, policy, wait);
        }
        response.json(Body {
            error: refused.code,
            error_description: &refused.description,
        })
    }
}

/// The one mapping, of what the authority says.
fn refused_by_authority(error: &AuthorityError) -> Refused {
    let bad = |code, text| Refused::new(StatusCode::BAD_REQUEST, code, text);
    match error {
        AuthorityError::InvalidClient(_) => Refused::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::InvalidClient,
            "client authentication failed",
        ),
        AuthorityError::Limited(exceeded) => Refused {
            retry_after: Some(exceeded.seconds()),
            exceeded: exceeded.policy.map(|policy| (policy, exceeded.seconds())),
            ..Refused::new(
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::TemporarilyUnavailable,
                limit_reached(exceeded.limit),
            )
        },
        AuthorityError::MissingToken => bad(ErrorCode::InvalidRequest, "the parameter token is missing"),
        AuthorityError::MissingGrantType => bad(ErrorCode::InvalidRequest, "the parameter grant_type is missing"),
        AuthorityError::UnsupportedGrantType => {
            bad(ErrorCode::UnsupportedGrantType, "only client_credentials is supported")
        }
        AuthorityError::UnauthorizedClient(_) => {
            bad(ErrorCode::UnauthorizedClient, "this client may not use this grant type")
        }
        AuthorityError::ForeignToken => bad(ErrorCode::UnauthorizedClient, "the token was issued to another client"),
        AuthorityError::InvalidScope(reason) => Refused {
            description: ErrorDescription::of_field("scope", reason),
            ..bad(ErrorCode::InvalidScope, "")
        },
        AuthorityError::InvalidTarget(reason) => Refused {
            description: ErrorDescription::of_field("resource", reason),
            ..bad(ErrorCode::InvalidTarget, "")
        },
        AuthorityError::NoSigningKey | AuthorityError::Unavailable(_) => Refused {
            retry_after: Some(STORE_RETRY),
            ..Refused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::TemporarilyUnavailable,
                "the server cannot answer now",
            )
        },
    }
}

/// What a caller reads of a limit. Who is not authenticated reads the same of both budgets of failures.
const fn limit_reached(limit: Limit) -> &'static str {
    match limit {
        Limit::Failures | Limit::UnknownIds => "too many failed authentications",
        Limit::ClientRate => "this client asks for tokens faster than its limits allow",
        Limit::PartnerRate => "the clients of this partner ask for tokens faster than its plan allows",
        Limit::ClientDay | Limit::ClientMonth => "this client has used up its quota of tokens",
        Limit::PartnerDay | Limit::PartnerMonth => "the clients of this partner have used up its quota of tokens",
        Limit::Revocations => "this client revokes tokens faster than it may",
    }
}

const NO_CREDENTIALS: &str = "client authentication is missing, or of a kind that is not supported";
const MALFORMED_BASIC: &str =
    "the Authorization header must be HTTP Basic with form-encoded client_id and client_secret";

/// What holds tokens, or says why there are none, is kept by no cache (RFC 6749 §5.1).
pub(super) fn no_store(response: &mut actix_web::HttpResponseBuilder) {
    response
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")));
}
