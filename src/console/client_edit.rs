//! `/console/clients/{client_id}/edit`: a client, widened, narrowed or otherwise changed.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::editing::{self, Conflict, Field, allowance};
use super::faults::Faults;
use super::form::Form;
use super::scopes::{Choice, choices};
use super::trouble::Trouble;
use super::visit::Visit;
use super::{clients, page, words};
use crate::domain::{Client, ClientId, Noun, Refusal};
use crate::http::admin::client_change;
use crate::http::admin::fields::{Members, Value};
use crate::http::admin::problem::Problem;
use crate::store::JournalFilter;

const FIELDS: [Field; 12] = [
    Field::plain("name", "Name"),
    Field::plain("contact", "Responsible e-mail"),
    Field::plain("access_level", "Access level"),
    Field::list("scope", "Scopes"),
    Field::list("allowed_sources", "Allowed sources"),
    Field::day("expires_at", "Expires on"),
    Field::plain("token_lifetime", "Token lifetime"),
    Field::plain("limits.tokens_per_second", "Tokens a second"),
    Field::plain("limits.burst", "Tokens at once"),
    Field::plain("limits.tokens_per_day", "Tokens a day"),
    Field::plain("limits.tokens_per_month", "Tokens a month"),
    Field::elsewhere("status", "Status"),
];

#[derive(Template)]
#[template(path = "client_edit.html")]
struct Page<'a> {
    chrome: Chrome,
    client: Client,
    /// The version that the form is of.
    version: String,
    choices: Vec<Choice>,
    form: &'a Form,
    faults: Faults,
    conflict: Option<Conflict>,
}

/// What is around a form: what is wrong with it, or what somebody else changed meanwhile.
#[derive(Default)]
struct Around {
    faults: Faults,
    conflict: Option<Conflict>,
}

/// The page of `client` with a form of this version of it.
async fn page_of<'a>(
    visit: &Visit,
    client: Client,
    (form, version): (&'a Form, String),
    around: Around,
) -> Result<Page<'a>, Trouble> {
    let choices = match client.partner_id() {
        None => Vec::new(),
        Some(partner_id) => {
            let partner = visit.office().partner(visit.who(), partner_id.clone()).await?;
            let apis = visit.office().apis(visit.who(), Some(client.environment)).await?;
            choices(&partner, &apis, form)
        }
    };
    Ok(Page {
        chrome: Chrome::new(visit, Some(Section::Clients)),
        client,
        version,
        choices,
        form,
        faults: around.faults,
        conflict: around.conflict,
    })
}

/// The form with what is there.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    let client = visit.office().client(visit.who(), client_id).await?;
    let (form, version) = (editing::filled(&FIELDS, &client), client.version.to_string());
    Ok(page::shown(
        &page_of(&visit, client, (&form, version), Around::default()).await?,
    ))
}

/// Changes what was sent.
pub(super) async fn change(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    visit.form.split("allowed_sources");
    visit.form.begin_day("expires_at");
    if !visit.form.has("access_level", "fine_grained") {
        visit.form.put("scope", String::new());
    }
    let client = visit.office().client(visit.who(), client_id.clone()).await?;
    match changed(&visit, &client).await {
        Ok(client) => Ok(page::see(&clients::path_of(&client.client_id))),
        Err(Problem::Refused(Refusal::Stale)) => overtaken(visit, client_id).await,
        Err(problem) => {
            let around = Around {
                faults: Faults::of(problem)?,
                conflict: None,
            };
            let page = page_of(&visit, client, (&visit.form, visit.version()), around).await?;
            Ok(page::with_status(StatusCode::BAD_REQUEST, &page))
        }
    }
}

async fn changed(visit: &Visit, client: &Client) -> Result<Client, Problem> {
    let client_id = client.client_id.clone();
    let change = members(&visit.form, client).read(|body| client_change(body, client_id))?;
    let errand = visit.change()?;
    Ok(visit.office().change_client(visit.who(), errand, change).await?)
}

fn members(form: &Form, client: &Client) -> Members {
    let or_null = |name: &str, value: fn(&Form, &str) -> Value| match form.get(name) {
        Some(_) => value(form, name),
        None => Value::Null,
    };
    let mut members = vec![
        ("name", form.text("name")),
        ("contact", form.text("contact")),
        ("allowed_sources", or_null("allowed_sources", Form::list)),
    ];
    // The form has the day alone: a moment within the same one is left as it is.
    if form.day("expires_at") != client.expires_at.map(words::day).unwrap_or_default() {
        members.push(("expires_at", or_null("expires_at", Form::text)));
    }
    if client.partner_id().is_some() {
        members.extend([
            ("access_level", form.text("access_level")),
            ("token_lifetime", form.number("token_lifetime")),
            ("limits", allowance(form, "limits")),
        ]);
        if form.get("scope").is_some() {
            members.push(("scope", form.list("scope")));
        }
    }
    let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
    Members::new(members.collect())
}

/// The form once more, with what somebody else changed meanwhile.
async fn overtaken(mut visit: Visit, client_id: ClientId) -> Result<HttpResponse, Trouble> {
    let client = visit.office().client(visit.who(), client_id).await?;
    let about = JournalFilter {
        noun: Some(Noun::Client),
        subject: Some(client.client_id.to_string()),
        ..JournalFilter::default()
    };
    let conflict = editing::meet(&mut visit, &FIELDS, (about, &client)).await?;
    let around = Around {
        conflict: Some(conflict),
        ..Around::default()
    };
    let version = client.version.to_string();
    let page = page_of(&visit, client, (&visit.form, version), around).await?;
    Ok(page::with_status(StatusCode::PRECONDITION_FAILED, &page))
}
