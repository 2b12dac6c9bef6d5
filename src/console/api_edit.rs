//! `/console/apis/{environment}/{api_id}/edit`: the name of an API, its audience, and the scopes it owns.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::editing::{self, Conflict, Field};
use super::faults::Faults;
use super::form::Form;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{apis, page};
use crate::domain::{Api, Noun, Refusal};
use crate::http::admin::api_change;
use crate::http::admin::fields::Members;
use crate::http::admin::problem::Problem;
use crate::store::JournalFilter;

const FIELDS: [Field; 3] = [
    Field::plain("name", "Name"),
    Field::plain("audience", "Audience"),
    Field::list("scopes", "Scopes"),
];

#[derive(Template)]
#[template(path = "api_edit.html")]
struct Page<'a> {
    chrome: Chrome,
    api: Api,
    /// The version that the form is of.
    version: String,
    form: &'a Form,
    faults: Faults,
    conflict: Option<Conflict>,
}

/// The API that the path names.
async fn named(visit: &Visit) -> Result<Api, Problem> {
    let (environment, api_id) = (visit.path("environment")?, visit.path("api_id")?);
    Ok(visit.office().api(visit.who(), environment, api_id).await?)
}

/// The form with what is there.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let api = named(&visit).await?;
    let form = editing::filled(&FIELDS, &api);
    Ok(page::shown(&Page {
        chrome: Chrome::new(&visit, Some(Section::Apis)),
        version: api.version.to_string(),
        api,
        form: &form,
        faults: Faults::default(),
        conflict: None,
    }))
}

/// Changes what was sent.
pub(super) async fn change(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    visit.form.split("scopes");
    let api = named(&visit).await?;
    match changed(&visit, &api).await {
        Ok(api) => Ok(page::see(&apis::path_of(&api))),
        Err(Problem::Refused(Refusal::Stale)) => overtaken(visit).await,
        Err(problem) => {
            let page = Page {
                chrome: Chrome::new(&visit, Some(Section::Apis)),
                api,
                version: visit.version(),
                form: &visit.form,
                faults: Faults::of(problem)?,
                conflict: None,
            };
            Ok(page::with_status(StatusCode::BAD_REQUEST, &page))
        }
    }
}

async fn changed(visit: &Visit, api: &Api) -> Result<Api, Problem> {
    let form = &visit.form;
    let members = [
        ("name", form.text("name")),
        ("audience", form.text("audience")),
        ("scopes", form.list("scopes")),
    ];
    let members = Members::new(members.map(|(name, value)| (name.to_owned(), value)).into());
    let which = (api.environment, api.api_id.clone());
    let change = members.read(|body| api_change(body, which))?;
    let errand = visit.change()?;
    Ok(visit.office().change_api(visit.who(), errand, change).await?)
}

/// The form once more, with what somebody else changed meanwhile.
async fn overtaken(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    let api = named(&visit).await?;
    let about = JournalFilter {
        noun: Some(Noun::Api),
        subject: Some(api.api_id.to_string()),
        environment: Some(api.environment),
        ..JournalFilter::default()
    };
    let conflict = editing::meet(&mut visit, &FIELDS, (about, &api)).await?;
    let page = Page {
        chrome: Chrome::new(&visit, Some(Section::Apis)),
        version: api.version.to_string(),
        api,
        form: &visit.form,
        faults: Faults::default(),
        conflict: Some(conflict),
    };
    Ok(page::with_status(StatusCode::PRECONDITION_FAILED, &page))
}
