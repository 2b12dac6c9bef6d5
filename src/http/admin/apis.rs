//! `/admin/v1/apis`.

use actix_web::HttpResponse;

use super::answer::{created, shown};
use super::call::Call;
use super::fields::{Members, list, text};
use super::paging::Asked;
use super::problem::Problem;
use crate::domain::{Api, ApiId, Environment, MOST_SCOPE_TOKENS, ScopeToken};
use crate::office::{ApiChange, NewApi};

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (environment, asked) = call.query(|query| {
        let asked = Asked::read(query);
        let environment = query.optional("environment", text);
        Some((environment?, asked?))
    })?;
    let apis = call.office.apis(&call.who, environment).await?;
    asked.answer_from(apis, |api: &Api| (api.environment, api.api_id.clone()))
}

pub(super) async fn register(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let errand = call.creation()?;
    let new = call.body(new_api)?;
    let api = call.office.register_api(&call.who, errand, new).await?;
    let (version, thing) = (api.thing().version, api.thing());
    let location = format!("/apis/{}/{}", thing.environment, thing.api_id);
    Ok(created(&api, version, &location))
}

/// The members of an API to register.
pub(crate) fn new_api(body: &mut Members) -> Option<NewApi> {
    let environment = body.required("environment", text);
    let api_id = body.required("api_id", text);
    let name = body.required("name", text);
    let audience = body.required("audience", text);
    let scopes = body.required("scopes", list::<MOST_SCOPE_TOKENS, ScopeToken, _>);
    Some(NewApi {
        environment: environment?,
        api_id: api_id?,
        name: name?,
        audience: audience?,
        scopes: scopes?,
    })
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let (environment, api_id) = (call.path("environment")?, call.path("api_id")?);
    let api = call.office.api(&call.who, environment, api_id).await?;
    Ok(shown(&api, api.version))
}

pub(super) async fn change(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let which = (call.path("environment")?, call.path("api_id")?);
    let errand = call.change()?;
    let change = call.body(|body| api_change(body, which))?;
    let api = call.office.change_api(&call.who, errand, change).await?;
    Ok(shown(&api, api.version))
}

/// The members of a change of an API.
pub(crate) fn api_change(body: &mut Members, (environment, api_id): (Environment, ApiId)) -> Option<ApiChange> {
    let name = body.optional("name", text);
    let audience = body.optional("audience", text);
    let scopes = body.optional("scopes", list::<MOST_SCOPE_TOKENS, ScopeToken, _>);
    Some(ApiChange {
        environment,
        api_id,
        name: name?,
        audience: audience?,
        scopes: scopes?,
    })
}
