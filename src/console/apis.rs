//! `/console/apis`: the APIs that tokens are for, and the scopes they own.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::faults::Faults;
use super::form::Form;
use super::list::{self, Leaf, Way};
use super::page;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::{Api, ApiId, Environment, Invalid, Role, ScopeToken};
use crate::http::admin::fields::text;
use crate::http::admin::new_api;
use crate::http::admin::problem::Problem;
use crate::office::Created;

/// How many scopes of an API its line in the list names.
const NAMED: usize = 5;

/// Where an API stands in the list.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place(Environment, ApiId);

impl Place {
    fn of(api: &Api) -> Self {
        Self(api.environment, api.api_id.clone())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0, self.1)
    }
}

impl FromStr for Place {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (environment, api_id) = text
            .split_once('/')
            .ok_or_else(|| Invalid::new("is no place in this list"))?;
        Ok(Self(environment.parse()?, api_id.parse()?))
    }
}

#[derive(Template)]
#[template(path = "apis.html")]
struct List {
    chrome: Chrome,
    leaf: Leaf<Api>,
    environment: Option<Environment>,
}

/// The scopes that the line of an API names.
pub(super) fn named(api: &Api) -> impl Iterator<Item = &ScopeToken> {
    api.scopes.iter().take(NAMED)
}

/// How many it has beyond them.
pub(super) fn unnamed(api: &Api) -> usize {
    api.scopes.len().saturating_sub(NAMED)
}

/// All of them, page by page.
pub(super) async fn list_all(visit: Visit) -> Result<HttpResponse, Trouble> {
    let (environment, after) = visit.query(&["environment", "after"], |query| {
        let environment = query.optional("environment", text);
        let after = query.optional("after", text::<Place>);
        Some((environment?, after?))
    })?;
    let is_first = after.is_none();
    let piece = list::piece(after);
    let apis = visit.office().apis(visit.who(), environment).await?.into_iter();
    let further = apis.filter(|api| piece.after.as_ref().is_none_or(|after| Place::of(api) > *after));
    let way = Way::new(
        Section::Apis.path(),
        &[("environment", environment.map(Environment::as_str))],
    );
    let rows = further.take(piece.limit.into()).collect();
    Ok(page::shown(&List {
        chrome: Chrome::new(&visit, Some(Section::Apis)),
        leaf: Leaf::new(rows, is_first, &way, |api| Place::of(api).to_string()),
        environment,
    }))
}

#[derive(Template)]
#[template(path = "api_new.html")]
struct New<'a> {
    chrome: Chrome,
    form: &'a Form,
    faults: Faults,
    once: String,
}

/// The form for a new one.
pub(super) async fn new(visit: Visit) -> Result<HttpResponse, Trouble> {
    Ok(page::shown(&form_of(&visit, Faults::default())))
}

fn form_of(visit: &Visit, faults: Faults) -> New<'_> {
    New {
        chrome: Chrome::new(visit, Some(Section::Apis)),
        form: &visit.form,
        faults,
        once: visit.once(),
    }
}

/// Registers one.
pub(super) async fn register(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    visit.form.split("scopes");
    match registered(&visit).await {
        Ok(Created::Now(api) | Created::Before(api)) => Ok(page::see(&path_of(&api))),
        Err(problem) => {
            let again = form_of(&visit, Faults::of(problem)?);
            Ok(page::with_status(StatusCode::BAD_REQUEST, &again))
        }
    }
}

async fn registered(visit: &Visit) -> Result<Created<Api>, Problem> {
    let members = visit
        .form
        .members(&["environment", "api_id", "name", "audience"], &["scopes"]);
    let new = members.read(new_api)?;
    Ok(visit.office().register_api(visit.who(), visit.creation()?, new).await?)
}

/// Where the page of an API is.
pub(super) fn path_of(api: &Api) -> String {
    format!("/console/apis/{}/{}", api.environment, api.api_id)
}

#[derive(Template)]
#[template(path = "api.html")]
struct Shown {
    chrome: Chrome,
    api: Api,
}

/// One of them.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let (environment, api_id) = (visit.path("environment")?, visit.path("api_id")?);
    let api = visit.office().api(visit.who(), environment, api_id).await?;
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Apis)),
        api,
    }))
}
