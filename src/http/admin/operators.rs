//! `/admin/v1/operators` and `/admin/v1/whoami`.

use actix_web::HttpResponse;
use serde::Serialize;

use super::answer::{created, shown};
use super::call::Call;
use super::fields::{Members, text};
use super::paging::Asked;
use super::problem::Problem;
use crate::domain::{Operator, OperatorId};
use crate::office::{NewOperator, OperatorWithToken, RoleChange};

/// An operator with a token just made.
#[derive(Serialize)]
struct View {
    operator: Operator,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl From<OperatorWithToken> for View {
    fn from(made: OperatorWithToken) -> Self {
        Self {
            operator: made.operator,
            token: made.token.map(|token| token.expose().to_owned()),
        }
    }
}

pub(super) async fn whoami(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let operator = call.office.whoami(&call.who).await?;
    Ok(shown(&operator, operator.version))
}

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let asked = call.query(Asked::read)?;
    let operators = call.office.operators(&call.who).await?;
    asked.answer_from(operators, |operator: &Operator| operator.operator_id.clone())
}

pub(super) async fn create(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let errand = call.creation()?;
    let new = call.body(new_operator)?;
    let made = call.office.create_operator(&call.who, errand, new).await?;
    let operator = &made.thing().operator;
    let (version, location) = (operator.version, format!("/operators/{}", operator.operator_id));
    Ok(created(&made.map(View::from), version, &location))
}

/// An operator to make.
pub(crate) fn new_operator(body: &mut Members) -> Option<NewOperator> {
    let email = body.required("email", text);
    let role = body.required("role", text);
    Some(NewOperator {
        email: email?,
        role: role?,
    })
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let operator = call.office.operator(&call.who, call.path("operator_id")?).await?;
    Ok(shown(&operator, operator.version))
}

pub(super) async fn change(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let operator_id: OperatorId = call.path("operator_id")?;
    let errand = call.change()?;
    let change = call.body(|body| {
        let role = body.required("role", text)?;
        Some(RoleChange { operator_id, role })
    })?;
    let operator = call.office.change_operator(&call.who, errand, change).await?;
    Ok(shown(&operator, operator.version))
}

pub(super) async fn revoke(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, operator_id) = (call.bare_action()?, call.path("operator_id")?);
    let operator = call.office.revoke_operator(&call.who, errand, operator_id).await?;
    Ok(shown(&operator, operator.version))
}

pub(super) async fn rotate_token(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, operator_id) = (call.bare_action()?, call.path("operator_id")?);
    let made = call.office.rotate_token(&call.who, errand, operator_id).await?;
    let version = made.operator.version;
    Ok(shown(&View::from(made), version))
}
