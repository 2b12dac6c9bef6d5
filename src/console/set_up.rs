//! `/console/set-up/{code}`: where the first owner makes itself, by the link that was printed at the start.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

use super::faults::Faults;
use super::form::Form;
use super::page;
use super::sign_in::Stranger;
use super::trouble::Trouble;
use crate::domain::EmailAddress;
use crate::http::admin::fields::text;
use crate::http::admin::problem::Problem;
use crate::http::admin::{admit, request_id};
use crate::http::peer::PeerAddress;
use crate::office::Errand;
use crate::registry::{Attempt, FailureKey};

#[derive(Template)]
#[template(path = "set_up.html")]
struct Page<'a> {
    form: &'a Form,
    faults: Faults,
}

#[derive(Template)]
#[template(path = "first_token.html")]
struct FirstToken {
    email: String,
    token: String,
}

/// The form for the first owner.
pub(super) async fn show(stranger: Stranger) -> Result<HttpResponse, Trouble> {
    code_of(&stranger)?;
    Ok(page::shown(&Page {
        form: &stranger.form,
        faults: Faults::default(),
    }))
}

/// The code in the path, if it counts. Whoever tries others runs out of the budget that guessed tokens have.
fn code_of(stranger: &Stranger) -> Result<String, Problem> {
    let code = stranger.request.match_info().get("code").unwrap_or_default();
    let office = &stranger.console.office;
    let failures = office.registry().failures();
    let key = FailureKey::new(Attempt::Operator, PeerAddress::of(&stranger.request).0);
    if let Some(wait) = failures.shut_for(&key) {
        return Err(Problem::TooManyFailures(wait));
    }
    if office.can_set_up(code) {
        return Ok(code.to_owned());
    }
    failures.count(key);
    Err(Problem::NoSuchPath)
}

/// Makes the first owner, signs them in, and shows their token once.
pub(super) async fn make(stranger: Stranger) -> Result<HttpResponse, Trouble> {
    let code = code_of(&stranger)?;
    let email = stranger
        .form
        .members(&["email"], &[])
        .read(|form| form.required("email", text::<EmailAddress>));
    let errand = Errand {
        request_id: request_id(&stranger.request),
        ..Errand::default()
    };
    let office = &stranger.console.office;
    let made = match email {
        Ok(email) => office.set_up(&code, errand, email).await.map_err(Problem::from),
        Err(problem) => Err(problem),
    };
    let made = match made {
        Ok(made) => made.ok_or(Problem::NoSuchPath)?,
        Err(problem) => {
            let (form, faults) = (&stranger.form, Faults::of(problem)?);
            return Ok(page::with_status(StatusCode::BAD_REQUEST, &Page { form, faults }));
        }
    };
    let token = made
        .token
        .as_ref()
        .map(|token| token.expose().to_owned())
        .unwrap_or_default();
    let source = PeerAddress::of(&stranger.request);
    let administrator = admit(office, &token, source).await?;
    let begun = office.sign_in(&administrator, source.0).await?;
    let email = made.operator.email.to_string();
    let mut answer = page::shown(&FirstToken { email, token });
    let cookie = stranger.console.cookie.keep(&begun.secret, begun.policy.longest);
    answer.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(answer)
}
