//! What every request to a page goes through: that a page of ours began it, who is signed in, that the form is of their session, that
//! their role suffices.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{HttpRequest, HttpResponse, web};

use super::chrome::Chrome;
use super::form::{self, Form};
use super::routes::{Door, ROUTES, Route, Verb};
use super::sign_in::{self, Stranger};
use super::trouble::Trouble;
use super::visit::Visit;
use super::{ConsoleParts, PREFIX, assets};
use crate::domain::RequestId;
use crate::http::admin::problem::Problem;
use crate::http::admin::{read_body, request_id};
use crate::http::peer::PeerAddress;
use crate::telemetry::{Endpoint, Line, Reason};

/// Who began a request, as browsers say (Fetch Metadata §2.1).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Puts every page in place, a 405 beside them, a 404 under them, and what they are drawn with.
pub fn configure(config: &mut web::ServiceConfig, console: &Arc<ConsoleParts>) {
    assets::configure(config);
    let mut scope = web::scope(PREFIX);
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|route| route.path).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let mut resource = web::resource(path);
        for route in ROUTES.iter().filter(|route| route.path == path) {
            for method in methods(route.verb) {
                let console = Arc::clone(console);
                resource = resource.route(
                    web::method(method.clone())
                        .to(move |request, payload| serve(Arc::clone(&console), route, (request, payload))),
                );
            }
        }
        scope = scope.service(
            resource.default_service(web::to(move |request: HttpRequest| async move {
                refused(&Problem::NoSuchMethod(allowed(path)).into(), &request)
            })),
        );
    }
    config.service(scope.default_service(web::to(|request: HttpRequest| async move {
        refused(&Problem::NoSuchPath.into(), &request)
    })));
}

const fn methods(verb: Verb) -> &'static [Method] {
    match verb {
        Verb::Get => &[Method::GET, Method::HEAD],
        Verb::Post => &[Method::POST],
    }
}

/// The value of `Allow` for a path (RFC 9110 §10.2.1).
fn allowed(path: &str) -> String {
    let routes = ROUTES.iter().filter(|route| route.path == path);
    let methods: Vec<&str> = routes
        .flat_map(|route| methods(route.verb))
        .map(Method::as_str)
        .collect();
    methods.join(", ")
}

fn refused(trouble: &Trouble, request: &HttpRequest) -> HttpResponse {
    trouble.answer(None, request_id(request).as_ref())
}

async fn serve(
    console: Arc<ConsoleParts>,
    route: &'static Route,
    (request, payload): (HttpRequest, web::Payload),
) -> HttpResponse {
    let began = Instant::now();
    let metrics = Arc::clone(&console.gate.metrics);
    let answer = answer(&console, route, (request.clone(), payload)).await;
    let answer = answer.unwrap_or_else(|(trouble, chrome)| {
        let request_id = request_id(&request);
        let answer = trouble.answer(chrome.as_ref(), request_id.as_ref());
        let line = metrics.count_refusal(Endpoint::Console, Reason::of(answer.status().as_u16()));
        if let (Line::Own, Some((level, told))) = (line, trouble.for_the_log()) {
            let request_id = request_id.as_ref().map(RequestId::as_str);
            let source = PeerAddress::of(&request).0;
            log::log!(level, request_id, source:% = source, route = route.path; "{told}");
        }
        answer
    });
    metrics.observe_request(Endpoint::Console, began.elapsed());
    answer
}

/// A page that is not served, within the chrome of whoever is signed in.
type Refused = (Trouble, Option<Chrome>);

async fn answer(
    console: &Arc<ConsoleParts>,
    route: &'static Route,
    (request, payload): (HttpRequest, web::Payload),
) -> Result<HttpResponse, Refused> {
    let bare = |trouble: Trouble| (trouble, None);
    let form = match route.verb {
        Verb::Get => Form::default(),
        Verb::Post if !is_from_a_page_of_ours(request.headers()) => return Err(bare(Trouble::Foreign)),
        Verb::Post => {
            let body = read_body((&request, payload), &console.gate)
                .await
                .map_err(|problem| bare(problem.into()))?;
            Form::parse(&body).map_err(|problem| bare(problem.into()))?
        }
    };
    let console = Arc::clone(console);
    let (role, handler) = match route.door {
        Door::Open(handler) => {
            return handler(Stranger { console, request, form }).await.map_err(bare);
        }
        Door::Guarded(role, handler) => (role, handler),
    };
    let cookie = console.cookie.read(request.headers()).unwrap_or_default().to_owned();
    let signed_in = console.office.signed_in(&cookie).await;
    let Some(signed_in) = signed_in.map_err(|error| bare(error.into()))? else {
        return Ok(sign_in::first(&request));
    };
    let visit = Visit {
        console,
        signed_in,
        proof: form::proof(&cookie),
        request,
        form,
    };
    let chrome = Chrome::new(&visit, None);
    let within = |trouble: Trouble| (trouble, Some(chrome));
    if route.verb == Verb::Post && !form::is_proven(&visit.form, &cookie) {
        return Err(within(Trouble::Outdated));
    }
    if let Err(refusal) = visit.who().require(role) {
        return Err(within(refusal.into()));
    }
    handler(visit).await.map_err(within)
}

/// Whether a page of this origin began the request. Browsers say so in one of two headers; who says nothing is no browser of today, and
/// finds the admin API beside.
fn is_from_a_page_of_ours(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let origin = text(&header::ORIGIN).and_then(|origin| origin.split_once("://"));
    matches!((origin, text(&header::HOST)), (Some((_, origin)), Some(host)) if origin.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(lines: &[(&str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse().unwrap(), value.parse().unwrap());
        }
        is_from_a_page_of_ours(&headers)
    }

    #[test]
    fn a_request_counts_only_when_a_page_of_ours_began_it() {
        let host = ("host", "mintmark.example:8443");
        assert!(ours(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(ours(&[host, ("origin", "https://mintmark.example:8443")]));
        for lines in [
            &[host][..],
            &[
                host,
                ("sec-fetch-site", "same-site"),
                ("origin", "https://mintmark.example:8443"),
            ],
            &[host, ("sec-fetch-site", "cross-site")],
            &[host, ("sec-fetch-site", "none")],
            &[host, ("origin", "null")],
            &[host, ("origin", "https://mintmark.example")],
            &[host, ("origin", "https://evil.example/?mintmark.example:8443")],
            &[("origin", "https://mintmark.example:8443")],
        ] {
            assert!(!ours(lines), "{lines:?}");
        }
    }
}
