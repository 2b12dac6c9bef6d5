//! The admin API: JSON in, JSON out, problems as RFC 9457 says, operators' bearer tokens at the door.
//!
//! Whoever serves it puts a [`RequestId`] and a [`PeerAddress`] into each
//! request's extensions, and a `web::Data<Office>` into the application.

mod answer;
mod apis;
mod call;
mod clients;
pub(crate) mod fields;
mod journal;
mod keys;
mod limits;
mod notices;
mod operators;
mod paging;
mod partners;
pub(crate) mod problem;
mod quotas;
mod routes;
mod secrets;
mod usage;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, header};
use actix_web::rt::time::timeout;
use actix_web::{HttpRequest, HttpResponse, web};

use super::peer::PeerAddress;
use super::quiet::Awaiting;
use crate::domain::RequestId;
use crate::office::{Administrator, Office};
use crate::registry::{Attempt, FailureKey};
use crate::telemetry::{Endpoint, Line, Metrics, Reason};
pub(crate) use apis::{api_change, new_api};
use call::Call;
pub(crate) use call::request_id;
pub(crate) use clients::{client_change, new_client};
pub(crate) use journal::filter as journal_filter;
pub(crate) use operators::new_operator;
pub(crate) use partners::{new_partner, partner_change};
use problem::Problem;
use routes::Door;
pub use routes::{ROUTES, Route, Verb};
pub(crate) use words::{client_status, partner_status};

/// The description of this API, and of the OAuth endpoints, as `OpenAPI` 3.1.
pub const OPENAPI: &str = include_str!("openapi.json");

/// Where the API begins.
pub const PREFIX: &str = "/admin/v1";

/// What every route goes by.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The longest body, in bytes.
    pub body: usize,
    /// How long a body may take to come.
    pub body_timeout: Duration,
    /// Where the time a request took is recorded.
    pub metrics: Arc<Metrics>,
}

/// Puts every route of the table in place, a 405 beside them, and a 404 under them.
pub fn configure(config: &mut web::ServiceConfig, gate: &Gate) {
    let mut scope = web::scope(PREFIX);
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    paths.dedup();
    for path in paths {
        let mut resource = web::resource(path);
        for route in ROUTES.iter().filter(|route| route.path == path) {
            for method in methods(route.verb) {
                let gate = gate.clone();
                resource = resource.route(web::method(method).to(
                    move |request: HttpRequest, payload: web::Payload, office: web::Data<Office>| {
                        let gate = gate.clone();
                        async move {
                            let began = Instant::now();
                            let answer = serve((route, &gate), request, (payload, office)).await;
                            gate.metrics.observe_request(Endpoint::Admin, began.elapsed());
                            answer
                        }
                    },
                ));
            }
        }
        scope = scope.service(
            resource.default_service(web::to(move |request: HttpRequest| async move {
                Problem::NoSuchMethod(allowed(path)).answer(request_id(&request).as_ref())
            })),
        );
    }
    config.service(scope.default_service(web::to(|request: HttpRequest| async move {
        Problem::NoSuchPath.answer(request_id(&request).as_ref())
    })));
}

fn methods(verb: Verb) -> Vec<Method> {
    match verb {
        Verb::Get => vec![Method::GET, Method::HEAD],
        Verb::Post => vec![Method::POST],
        Verb::Patch => vec![Method::PATCH],
    }
}

/// The value of `Allow` for a path (RFC 9110 §10.2.1).
fn allowed(path: &str) -> String {
    let routes = ROUTES.iter().filter(|route| route.path == path);
    let methods: Vec<String> = routes
        .flat_map(|route| methods(route.verb))
        .map(|method| method.to_string())
        .collect();
    methods.join(", ")
}

async fn serve(
    (route, gate): (&'static Route, &Gate),
    request: HttpRequest,
    sent: (web::Payload, web::Data<Office>),
) -> HttpResponse {
    let (request_id, source) = (request_id(&request), PeerAddress::of(&request).0);
    match answer((route, gate), request, sent).await {
        Ok(answer) => answer,
        Err(problem) => {
            let told = problem.for_the_log().map(|(level, told)| (level, told.into_owned()));
            let answer = problem.answer(request_id.as_ref());
            let reason = Reason::of(answer.status().as_u16());
            let line = gate.metrics.count_refusal(Endpoint::Admin, reason);
            if let (Line::Own, Some((level, told))) = (line, told) {
                let request_id = request_id.as_ref().map(RequestId::as_str);
                log::log!(level, request_id, source:% = source, method = route.verb.as_str(), route = route.path; "{told}");
            }
            answer
        }
    }
}

async fn answer(
    (route, gate): (&'static Route, &Gate),
    request: HttpRequest,
    (payload, office): (web::Payload, web::Data<Office>),
) -> Result<HttpResponse, Problem> {
    let (role, handler) = match route.door {
        Door::Open(answer) => return Ok(answer()),
        Door::Guarded(role, handler) => (role, handler),
    };
    let who = authenticate(&office, &request).await?;
    who.require(role)?;
    let body = match route.verb {
        Verb::Get => web::Bytes::new(),
        Verb::Post | Verb::Patch => read_body((&request, payload), gate).await?,
    };
    handler(Call {
        office,
        who,
        request,
        body,
    })
    .await
}

/// RFC 6750 §2.1 and §3.1.
async fn authenticate(office: &Office, request: &HttpRequest) -> Result<Administrator, Problem> {
    admit(office, bearer_token(request)?, PeerAddress::of(request)).await
}

/// Whoever holds `token`, behind a budget of failures for each address. Beyond it no token is looked at but those that counted here
/// before: whoever shares an address with a guesser must still be able to revoke.
///
/// # Errors
/// When the token does not count, the budget is used up, or the store does not answer in time.
pub(crate) async fn admit(office: &Office, token: &str, source: PeerAddress) -> Result<Administrator, Problem> {
    let failures = office.registry().failures();
    let key = FailureKey::new(Attempt::Operator, source.0);
    if let Some(wait) = failures.shut_for(&key)
        && !office.has_admitted(token)
    {
        return Err(Problem::TooManyFailures(wait));
    }
    let administrator = office.administrator(token).await?;
    administrator.ok_or_else(|| {
        failures.count(key);
        Problem::InvalidToken
    })
}

fn bearer_token(request: &HttpRequest) -> Result<&str, Problem> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(Problem::NoCredentials)?;
    if values.next().is_some() {
        return Err(Problem::MalformedCredentials);
    }
    let text = value.to_str().map_err(|_| Problem::MalformedCredentials)?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Problem::NoCredentials);
    }
    let token = token.trim_matches(' ');
    if token.is_empty() || token.contains(char::is_whitespace) {
        return Err(Problem::MalformedCredentials);
    }
    Ok(token)
}

/// The whole body, within the bounds of `gate`.
///
/// # Errors
/// When it breaks off, is too large, or does not come in time.
pub(crate) async fn read_body(
    (request, payload): (&HttpRequest, web::Payload),
    gate: &Gate,
) -> Result<web::Bytes, Problem> {
    let _awaiting = Awaiting::body_of(request);
    match timeout(gate.body_timeout, payload.to_bytes_limited(gate.body)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Problem::Malformed("The body broke off.".into())),
        Ok(Err(_)) => Err(Problem::TooLarge),
        Err(_) => Err(Problem::TooSlow),
    }
}

/// `GET /admin/v1/openapi.json`.
fn description() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(OPENAPI)
}
