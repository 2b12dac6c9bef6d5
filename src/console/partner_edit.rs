//! `/console/partners/{partner_id}/edit`: the name of a partner, its ceiling, and what its clients may obtain.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::editing::{self, Conflict, Field, allowance};
use super::faults::Faults;
use super::form::Form;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{page, partners};
use crate::domain::{Noun, Partner, PartnerId, QuotaMode, Refusal};
use crate::http::admin::fields::{Members, Value};
use crate::http::admin::partner_change;
use crate::http::admin::problem::Problem;
use crate::store::JournalFilter;

const FIELDS: [Field; 12] = [
    Field::plain("name", "Name"),
    Field::list("scope_ceiling", "Ceiling"),
    Field::plain("plan.quota_mode", "Quotas"),
    Field::plain("plan.partner.tokens_per_second", "Together: tokens a second"),
    Field::plain("plan.partner.burst", "Together: tokens at once"),
    Field::plain("plan.partner.tokens_per_day", "Together: tokens a day"),
    Field::plain("plan.partner.tokens_per_month", "Together: tokens a month"),
    Field::plain("plan.client.tokens_per_second", "Each client: tokens a second"),
    Field::plain("plan.client.burst", "Each client: tokens at once"),
    Field::plain("plan.client.tokens_per_day", "Each client: tokens a day"),
    Field::plain("plan.client.tokens_per_month", "Each client: tokens a month"),
    Field::elsewhere("status", "Status"),
];

#[derive(Template)]
#[template(path = "partner_edit.html")]
struct Page<'a> {
    chrome: Chrome,
    partner: Partner,
    /// The version that the form is of.
    version: String,
    form: &'a Form,
    faults: Faults,
    conflict: Option<Conflict>,
}

/// The form with what is there.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    let partner = visit.office().partner(visit.who(), partner_id).await?;
    let form = editing::filled(&FIELDS, &partner);
    Ok(page::shown(&Page {
        chrome: Chrome::new(&visit, Some(Section::Partners)),
        version: partner.version.to_string(),
        partner,
        form: &form,
        faults: Faults::default(),
        conflict: None,
    }))
}

/// Changes what was sent.
pub(super) async fn change(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    visit.form.split("scope_ceiling");
    let partner = visit.office().partner(visit.who(), partner_id.clone()).await?;
    match changed(&visit, &partner).await {
        Ok(partner) => Ok(page::see(&partners::path_of(&partner.partner_id))),
        Err(Problem::Refused(Refusal::Stale)) => overtaken(visit, partner_id).await,
        Err(problem) => {
            let page = Page {
                chrome: Chrome::new(&visit, Some(Section::Partners)),
                partner,
                version: visit.version(),
                form: &visit.form,
                faults: Faults::of(problem)?,
                conflict: None,
            };
            Ok(page::with_status(StatusCode::BAD_REQUEST, &page))
        }
    }
}

async fn changed(visit: &Visit, partner: &Partner) -> Result<Partner, Problem> {
    let partner_id = partner.partner_id.clone();
    let change = members(&visit.form, partner).read(|body| partner_change(body, partner_id))?;
    let errand = visit.change()?;
    Ok(visit.office().change_partner(visit.who(), errand, change).await?)
}

fn members(form: &Form, partner: &Partner) -> Members {
    let mut members = vec![
        ("name".to_owned(), form.text("name")),
        ("scope_ceiling".to_owned(), form.list("scope_ceiling")),
    ];
    // A sub-account shares the plan of its parent, and its page has no boxes for one.
    if partner.parent.is_none() {
        members.push(("plan".to_owned(), plan(form)));
    }
    Members::new(members)
}

fn plan(form: &Form) -> Value {
    const MODE: &str = "plan.quota_mode";
    let mode = form.get(MODE).map(|_| ("quota_mode".to_owned(), form.text(MODE)));
    let allowances = ["partner", "client"].map(|whose| (whose.to_owned(), allowance(form, &format!("plan.{whose}"))));
    if mode.is_none() && allowances.iter().all(|(_, allowance)| matches!(allowance, Value::Null)) {
        return Value::Null;
    }
    Value::Object(mode.into_iter().chain(allowances).collect())
}

/// The form once more, with what somebody else changed meanwhile.
async fn overtaken(mut visit: Visit, partner_id: PartnerId) -> Result<HttpResponse, Trouble> {
    let partner = visit.office().partner(visit.who(), partner_id).await?;
    let about = JournalFilter {
        noun: Some(Noun::Partner),
        subject: Some(partner.partner_id.to_string()),
        ..JournalFilter::default()
    };
    let conflict = editing::meet(&mut visit, &FIELDS, (about, &partner)).await?;
    let page = Page {
        chrome: Chrome::new(&visit, Some(Section::Partners)),
        version: partner.version.to_string(),
        partner,
        form: &visit.form,
        faults: Faults::default(),
        conflict: Some(conflict),
    };
    Ok(page::with_status(StatusCode::PRECONDITION_FAILED, &page))
}
