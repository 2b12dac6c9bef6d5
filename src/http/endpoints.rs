//! What the OAuth endpoints of one environment share: the authority, the limits, the way a request is read and refused.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};

use super::client_authentication::presented;
use super::error::OAuthError;
use super::form::{self, Form};
use super::peer::PeerAddress;
use super::quiet::Awaiting;
use crate::ambient::Entropy;
use crate::authority::{Authority, AuthorityError, Caller, Denial, PresentedCredentials, Rejection};
use crate::domain::{Environment, PartnerId, RequestId, Seconds};
use crate::telemetry::{Endpoint, Line, Metrics, Reason};

/// The bounds of the public listener.
#[derive(Clone, Copy, Debug)]
pub struct OAuthLimits {
    /// The largest body, in bytes.
    pub body: usize,
    /// How long a body may take to come.
    pub body_timeout: Duration,
    /// The `max-age` of the JWK set and of the metadata.
    pub max_age: Seconds,
}

/// The OAuth endpoints of one environment.
pub struct Endpoints {
    pub(super) authority: Authority,
    pub(super) metrics: Arc<Metrics>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) limits: OAuthLimits,
    pub(super) response_types: super::discovery::ResponseTypes,
}

impl Endpoints {
    /// The endpoints of the authority's environment.
    #[must_use]
    pub fn new(authority: Authority, metrics: Arc<Metrics>, entropy: Arc<dyn Entropy>, limits: OAuthLimits) -> Self {
        Self {
            authority,
            metrics,
            entropy,
            limits,
            response_types: super::discovery::ResponseTypes::Omitted,
        }
    }

    /// The same, saying `response_types_supported` in the metadata as an empty list, for clients that insist on the member.
    #[must_use]
    pub fn with_response_types(self) -> Self {
        Self {
            response_types: super::discovery::ResponseTypes::Empty,
            ..self
        }
    }

    /// Where they are.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.authority.environment()
    }

    /// Reads the body of a request, within the bounds.
    pub(super) async fn body(&self, request: &HttpRequest, payload: Payload) -> Result<Bytes, OAuthError> {
        if promises_more_than(request, self.limits.body) {
            return Err(OAuthError::TooLarge);
        }
        let mut body = pin!(payload.to_bytes_limited(self.limits.body));
        let read = match poll_fn(|context| Poll::Ready(body.as_mut().poll(context))).await {
            Poll::Ready(read) => read,
            // Most bodies come with their heads. This one is waited for.
            Poll::Pending => {
                let _awaiting = Awaiting::body_of(request);
                let read = timeout(self.limits.body_timeout, body);
                read.await.map_err(|_| OAuthError::TooSlow)?
            }
        };
        let body = read.map_err(|_| OAuthError::TooLarge)?;
        let body = body.map_err(|_| OAuthError::BrokenOff)?;
        if is_form(request) {
            Ok(body)
        } else {
            Err(OAuthError::MediaType)
        }
    }

    /// Counts and logs why a request was refused, and answers it.
    pub(super) fn refuse(&self, error: &OAuthError, caller: &Caller, endpoint: Endpoint) -> HttpResponse {
        if let Some(AuthorityError::Limited(exceeded)) = error.denial().map(|denial| &denial.why) {
            self.metrics.count_limited(self.environment(), exceeded.limit);
        }
        let status = error.refused().status.as_u16();
        match self.metrics.count_refusal(endpoint, reason(error, status)) {
            Line::Shared => {}
            Line::Own => self.tell(error, caller, (endpoint, status)),
        }
        error.answer(self.environment())
    }

    /// The line of a refused request. It names the client only where that has authenticated: anybody can send a name.
    fn tell(&self, error: &OAuthError, caller: &Caller, (endpoint, status): (Endpoint, u16)) {
        let (environment, request_id, source) = (self.environment(), caller.request_id.as_str(), caller.source);
        let asked = asked_of(endpoint);
        let client = error.denial().and_then(|denial| denial.client.as_ref());
        let client_id = client.map(|registered| registered.client.client_id.as_str());
        let partner_id = client.and_then(|registered| registered.partner_id().map(PartnerId::as_str));
        if status >= 500 {
            log::error!(environment:% = environment, request_id, source:% = source, status, client_id, partner_id; "{asked} failed: {error}");
        } else {
            log::info!(environment:% = environment, request_id, source:% = source, status, client_id, partner_id; "{asked} refused: {error}");
        }
    }

    /// From where a request came, and its name.
    pub(super) fn caller(&self, request: &HttpRequest) -> Caller {
        let noted = request.extensions().get::<RequestId>().cloned();
        let request_id = noted.unwrap_or_else(|| RequestId::mint(&*self.entropy));
        Caller {
            source: PeerAddress::of(request).0,
            request_id,
        }
    }
}

/// Why a request was refused, as it is counted. A right secret from a wrong source may be a stolen one, and has lines of its own
/// in the log, which no flood of wrong secrets takes from it.
const fn reason(error: &OAuthError, status: u16) -> Reason {
    match error {
        OAuthError::Authority(Denial {
            why: AuthorityError::InvalidClient(Rejection::WrongSource),
            ..
        }) => Reason::WrongSource,
        _ => Reason::of(status),
    }
}

/// What is asked of an endpoint, as the log calls it.
const fn asked_of(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Token => "token",
        Endpoint::Introspect => "introspection",
        Endpoint::Revoke => "revocation",
        Endpoint::Jwks => "JWK set",
        Endpoint::Metadata => "metadata",
        Endpoint::Admin => "administration",
        Endpoint::Console => "the console",
    }
}

/// A form, and the credentials presented with it.
pub(super) fn read<'a>(request: &HttpRequest, body: &'a [u8]) -> Result<(Form<'a>, PresentedCredentials), OAuthError> {
    let form = form::parse(body)?;
    let presented = presented(request.headers(), &form)?;
    Ok((form, presented))
}

/// Whether the body is said to be larger than `limit` before it has come.
fn promises_more_than(request: &HttpRequest, limit: usize) -> bool {
    let promised = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    promised.is_some_and(|length| length.parse().is_ok_and(|length: usize| length > limit))
}

/// The media type of a form (RFC 6749 Appendix B).
const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// Whether the media type, named once, is that of a form. Its parameters, such as a charset, say nothing a form does not say itself.
fn is_form(request: &HttpRequest) -> bool {
    let mut named = request.headers().get_all(CONTENT_TYPE);
    let (Some(value), None) = (named.next(), named.next()) else {
        return false;
    };
    let essence = value.as_bytes().split(|byte| *byte == b';').next();
    essence.is_some_and(|essence| essence.trim_ascii().eq_ignore_ascii_case(FORM))
}

/// RFC 6749 §3.2: POST only.
pub(super) async fn only_post(endpoints: Data<Endpoints>) -> HttpResponse {
    OAuthError::Method.answer(endpoints.environment())
}
