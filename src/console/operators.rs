//! `/console/operators`: who administers, and the tokens they do it with, each shown once.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::faults::Faults;
use super::form::Form;
use super::page;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::{Operator, OperatorId, OperatorStatus, Role, Timestamp};
use crate::http::admin::fields::text;
use crate::http::admin::new_operator;
use crate::http::admin::problem::Problem;
use crate::office::{Created, OperatorWithToken, RoleChange};

#[derive(Template)]
#[template(path = "operators.html")]
struct List<'a> {
    chrome: Chrome,
    /// Those who may act first.
    operators: Vec<Operator>,
    form: &'a Form,
    faults: Faults,
    once: String,
    now: Timestamp,
}

/// All of them, and the form for another.
pub(super) async fn list_all(visit: Visit) -> Result<HttpResponse, Trouble> {
    Ok(page::shown(&all(&visit, Faults::default()).await?))
}

async fn all(visit: &Visit, faults: Faults) -> Result<List<'_>, Trouble> {
    let mut operators = visit.office().operators(visit.who()).await?;
    operators.sort_by_key(|operator| (operator.status != OperatorStatus::Active, operator.email.to_string()));
    Ok(List {
        chrome: Chrome::new(visit, Some(Section::Operators)),
        operators,
        form: &visit.form,
        faults,
        once: visit.once(),
        now: visit.now(),
    })
}

impl List<'_> {
    fn standing(&self, operator: &Operator) -> &'static str {
        standing_of(operator, self.now)
    }
}

/// Whether one can act, in a word.
fn standing_of(operator: &Operator, now: Timestamp) -> &'static str {
    match operator.status {
        OperatorStatus::Revoked => "revoked",
        OperatorStatus::Active if operator.is_live(now) => "active",
        OperatorStatus::Active => "token expired",
    }
}

#[derive(Template)]
#[template(path = "operator_token.html")]
struct Once {
    chrome: Chrome,
    operator: Operator,
    /// `None`: the form was sent once more, and the token was shown before.
    token: Option<String>,
    is_own: bool,
}

fn once(visit: &Visit, made: OperatorWithToken) -> HttpResponse {
    page::shown(&Once {
        chrome: Chrome::new(visit, Some(Section::Operators)),
        is_own: made.operator.operator_id == *visit.who().operator_id(),
        token: made.token.map(|token| token.expose().to_owned()),
        operator: made.operator,
    })
}

/// Makes one and shows the token.
pub(super) async fn create(visit: Visit) -> Result<HttpResponse, Trouble> {
    match created(&visit).await {
        Ok(Created::Now(made) | Created::Before(made)) => Ok(once(&visit, made)),
        Err(problem) => {
            let again = all(&visit, Faults::of(problem)?).await?;
            Ok(page::with_status(StatusCode::BAD_REQUEST, &again))
        }
    }
}

async fn created(visit: &Visit) -> Result<Created<OperatorWithToken>, Problem> {
    let new = visit.form.members(&["email", "role"], &[]).read(new_operator)?;
    let errand = visit.creation()?;
    Ok(visit.office().create_operator(visit.who(), errand, new).await?)
}

#[derive(Template)]
#[template(path = "operator.html")]
struct Shown {
    chrome: Chrome,
    operator: Operator,
    is_own: bool,
    now: Timestamp,
}

impl Shown {
    fn standing(&self) -> &'static str {
        standing_of(&self.operator, self.now)
    }

    fn has_role(&self, word: &str) -> bool {
        self.operator.role.as_str() == word
    }
}

/// One of them.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let operator_id: OperatorId = visit.path("operator_id")?;
    let operator = visit.office().operator(visit.who(), operator_id).await?;
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Operators)),
        is_own: operator.operator_id == *visit.who().operator_id(),
        operator,
        now: visit.now(),
    }))
}

/// Where one goes on after a change of this operator: who changed themselves may see less than before.
fn after(visit: &Visit, operator_id: &OperatorId) -> HttpResponse {
    if operator_id == visit.who().operator_id() {
        page::see(Section::Overview.path())
    } else {
        page::see(&format!("/console/operators/{operator_id}"))
    }
}

/// Changes what one may do.
pub(super) async fn change_role(visit: Visit) -> Result<HttpResponse, Trouble> {
    let operator_id: OperatorId = visit.path("operator_id")?;
    let members = visit.form.members(&["role"], &[]);
    let role = members.read(|form| form.required("role", text::<Role>))?;
    let change = RoleChange {
        operator_id: operator_id.clone(),
        role,
    };
    visit
        .office()
        .change_operator(visit.who(), visit.change()?, change)
        .await?;
    Ok(after(&visit, &operator_id))
}

/// Makes a token in place of the one there is, and shows it.
pub(super) async fn rotate(visit: Visit) -> Result<HttpResponse, Trouble> {
    let operator_id: OperatorId = visit.path("operator_id")?;
    let made = visit
        .office()
        .rotate_token(visit.who(), visit.change()?, operator_id)
        .await?;
    Ok(once(&visit, made))
}

/// Ends one for ever.
pub(super) async fn revoke(visit: Visit) -> Result<HttpResponse, Trouble> {
    let operator_id: OperatorId = visit.path("operator_id")?;
    let operator = visit.office().operator(visit.who(), operator_id.clone()).await?;
    visit.confirmed(operator.email.as_str())?;
    visit
        .office()
        .revoke_operator(visit.who(), visit.change()?, operator_id.clone())
        .await?;
    Ok(after(&visit, &operator_id))
}
