//! `/console/sign-in`, and the ways out.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::Form;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{ConsoleParts, PREFIX, page};
use crate::http::admin::admit;
use crate::http::admin::problem::Problem;
use crate::http::peer::PeerAddress;

/// Where one signs in.
pub(super) const PATH: &str = "/console/sign-in";

/// The longest way back that is kept, in bytes.
const LONGEST_WAY: usize = 512;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page<'a> {
    /// Where the operator wanted to go.
    next: &'a str,
    /// Why the last try failed.
    fault: Option<String>,
}

/// Somebody who is not signed in, or not yet known to be.
pub(super) struct Stranger {
    pub(super) console: Arc<ConsoleParts>,
    pub(super) request: HttpRequest,
    pub(super) form: Form,
}

/// The page itself.
pub(super) async fn show(stranger: Stranger) -> Result<HttpResponse, Trouble> {
    let query = Form::parse(stranger.request.query_string().as_bytes())?;
    Ok(page::shown(&Page {
        next: way_back(&query),
        fault: None,
    }))
}

/// Begins a session by an operator's token.
pub(super) async fn by_token(stranger: Stranger) -> Result<HttpResponse, Trouble> {
    let Stranger { console, request, form } = stranger;
    let (next, source) = (way_back(&form), PeerAddress::of(&request));
    let token = form.get("token").map(str::trim).unwrap_or_default();
    match admit(&console.office, token, source).await {
        Ok(administrator) => {
            end_the_one_before(&console, &request).await?;
            let begun = console.office.sign_in(&administrator, source.0).await?;
            let mut answer = page::see(next);
            let cookie = console.cookie.keep(&begun.secret, begun.policy.longest);
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
            Ok(answer)
        }
        Err(problem @ (Problem::InvalidToken | Problem::TooManyFailures(_))) => {
            Err(Trouble::NotAdmitted(problem, next.to_owned()))
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Ends the session the browser still has: its cookie gives way to another, and nobody could end it any more but everywhere.
async fn end_the_one_before(console: &ConsoleParts, request: &HttpRequest) -> Result<(), Trouble> {
    let Some(cookie) = console.cookie.read(request.headers()) else {
        return Ok(());
    };
    if let Some(before) = console.office.signed_in(cookie).await? {
        console.office.sign_out(&before).await?;
    }
    Ok(())
}

/// The page once more, with what was wrong.
pub(super) fn again(problem: &Problem, next: &str) -> HttpResponse {
    let fault = Some(problem.detail().into_owned());
    page::with_status(problem.kind_of_answer().0, &Page { next, fault })
}

/// Ends this session.
pub(super) async fn out(visit: Visit) -> Result<HttpResponse, Trouble> {
    visit.office().sign_out(&visit.signed_in).await?;
    Ok(gone(&visit))
}

/// Ends every session of this operator.
pub(super) async fn out_everywhere(visit: Visit) -> Result<HttpResponse, Trouble> {
    visit.office().sign_out_everywhere(&visit.signed_in).await?;
    Ok(gone(&visit))
}

fn gone(visit: &Visit) -> HttpResponse {
    let mut answer = page::see(PATH);
    let headers = answer.headers_mut();
    headers.insert(header::SET_COOKIE, visit.console.cookie.forget());
    // Pages that this browser still holds go with the session, those of the back button too.
    let clear = header::HeaderValue::from_static("\"cache\"");
    headers.insert(header::HeaderName::from_static("clear-site-data"), clear);
    answer
}

/// To the page, and behind it to where the request was going, if that can be asked for again.
pub(super) fn first(request: &HttpRequest) -> HttpResponse {
    let wanted = request.uri().path_and_query().map_or(PREFIX, |way| way.as_str());
    if request.method().is_safe() && wanted != PREFIX && is_ours(wanted) {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("next", wanted)
            .finish();
        page::see(&format!("{PATH}?{query}"))
    } else {
        page::see(PATH)
    }
}

fn way_back(form: &Form) -> &str {
    form.get("next").filter(|way| is_ours(way)).unwrap_or(PREFIX)
}

/// Whether a way leads to a page of ours, and to nothing a browser could take for another host.
fn is_ours(way: &str) -> bool {
    let below = way.strip_prefix(PREFIX);
    let follows = |rest: &str| rest.is_empty() || rest.starts_with(['/', '?']);
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"/?&=%-._~+".contains(&octet);
    way.len() <= LONGEST_WAY && below.is_some_and(follows) && way.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_nowhere_else() {
        for way in [
            "/console",
            "/console/partners/acme",
            "/console/journal?noun=client&cursor=a%3Ab",
        ] {
            assert!(is_ours(way), "{way}");
        }
        for way in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/console",
            "/consoles",
            "/console@evil.example",
            "/console\\evil.example",
            "/console/\n",
            &format!("/console/{}", "a".repeat(LONGEST_WAY)),
        ] {
            assert!(!is_ours(way), "{way}");
        }
    }
}
