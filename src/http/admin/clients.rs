//! `/admin/v1/clients`.

use actix_web::HttpResponse;
use serde::Serialize;

use super::answer::{created, shown};
use super::call::Call;
use super::fields::{Faulty, Members, Value, list, text, whole};
use super::limits::{allowed_sources, limits};
use super::paging::Asked;
use super::problem::Problem;
use super::secrets::Shown;
use super::words::{Kind, Level, auth_method, client_status, kind, level};
use crate::domain::{
    AccessLevel, Allowance, AllowedApis, AllowedSources, ApiId, AuthMethod, Client, ClientId, ClientRole,
    MOST_SCOPE_TOKENS, Scope, ScopeToken, TokenLifetime,
};
use crate::office::{AccessChange, ClientChange, ClientWithSecret, NewClient};
use crate::store::ClientFilter;

/// The most APIs one client can be held to.
const MOST_ALLOWED_APIS: usize = 100;

/// A client just registered.
#[derive(Serialize)]
struct View {
    client: Client,
    secret: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (filter, asked) = call.query(|query| {
        let asked = Asked::read(query);
        let environment = query.optional("environment", text);
        let partner_id = query.optional("partner_id", text);
        let api_id = query.optional("api_id", text);
        let status = query.optional("status", client_status);
        let search = query.optional("search", text);
        let filter = ClientFilter {
            environment: environment?,
            partner_id: partner_id?,
            api_id: api_id?,
            status: status?,
            search: search?,
        };
        Some((filter, asked?))
    })?;
    let clients = call.office.clients(&call.who, filter, asked.page()).await?;
    Ok(asked.answer(clients, |client: &Client| client.client_id.clone()))
}

pub(super) async fn register(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let errand = call.creation()?;
    let new = call.body(new_client)?;
    let registered = call.office.register_client(&call.who, errand, new).await?;
    let client = &registered.thing().client;
    let (version, location) = (client.version, format!("/clients/{}", client.client_id));
    let view = registered.map(|ClientWithSecret { client, kept, secret }| View {
        client,
        secret: kept.into(),
        client_secret: secret.map(|secret| secret.expose().to_owned()),
    });
    Ok(created(&view, version, &location))
}

/// The members of a client to register.
pub(crate) fn new_client(body: &mut Members) -> Option<NewClient> {
    let environment = body.required("environment", text);
    let name = body.required("name", text);
    let contact = body.required("contact", text);
    let method = body.optional("token_endpoint_auth_method", auth_method);
    let expires_at = body.nullable("expires_at", text);
    let sources = body.nullable("allowed_sources", allowed_sources);
    let role = match body.required("kind", kind) {
        Some(Kind::Partner) => partner_role(body),
        Some(Kind::ResourceServer) => resource_server_role(body).map(|role| (role, Own::default())),
        None => {
            // Which of these belong depends on what is missing, so they are neither wanted nor unknown.
            body.pass_over(&[
                "partner_id",
                "access_level",
                "scope",
                "allowed_apis",
                "token_lifetime",
                "limits",
                "api_id",
            ]);
            None
        }
    };
    let (role, own) = role?;
    Some(NewClient {
        environment: environment?,
        role,
        name: name?,
        contact: contact?,
        token_endpoint_auth_method: method?.unwrap_or(AuthMethod::Any),
        token_lifetime: own.token_lifetime,
        limits: own.limits,
        allowed_sources: sources?.unwrap_or(AllowedSources::Any),
        expires_at: expires_at?,
    })
}

/// What only clients that obtain tokens have, each in place of what holds for all.
#[derive(Default)]
struct Own {
    token_lifetime: Option<TokenLifetime>,
    limits: Option<Box<Allowance>>,
}

fn partner_role(body: &mut Members) -> Option<(ClientRole, Own)> {
    body.refuse_all(&["api_id"], "belongs to resource-server clients only");
    let partner_id = body.required("partner_id", text);
    let access = match (body.required("access_level", level), scope(body)) {
        (None, _) | (_, None) => None,
        (Some(Level::Full), Some(None)) => Some(AccessLevel::Full),
        (Some(Level::FineGrained), Some(Some(scope))) => Some(AccessLevel::FineGrained(scope)),
        (Some(level), Some(_)) => misplaced_scope(body, level),
    };
    let allowed_apis = body.nullable("allowed_apis", api_ids);
    let token_lifetime = body.nullable("token_lifetime", whole);
    let own_limits = body.nullable("limits", limits);
    let role = ClientRole::Partner {
        partner_id: partner_id?,
        access: access?,
        allowed_apis: allowed_apis?.unwrap_or(AllowedApis::Every),
    };
    let own = Own {
        token_lifetime: token_lifetime?,
        limits: own_limits?,
    };
    Some((role, own))
}

fn resource_server_role(body: &mut Members) -> Option<ClientRole> {
    let foreign = [
        "partner_id",
        "access_level",
        "scope",
        "allowed_apis",
        "token_lifetime",
        "limits",
    ];
    body.refuse_all(&foreign, "belongs to partner clients only");
    let api_id = body.required("api_id", text);
    Some(ClientRole::ResourceServer { api_id: api_id? })
}

#[expect(
    clippy::option_option,
    reason = "outside: whether it could be read; inside: whether it was there"
)]
fn scope(body: &mut Members) -> Option<Option<Scope>> {
    body.optional("scope", list::<MOST_SCOPE_TOKENS, ScopeToken, _>)
}

fn misplaced_scope<T>(body: &mut Members, level: Level) -> Option<T> {
    body.refuse(
        "scope",
        match level {
            Level::Full => "belongs to the access level fine_grained",
            Level::FineGrained => "is missing: the access level fine_grained needs it",
        },
    );
    None
}

fn api_ids(value: &Value) -> Result<AllowedApis, Faulty> {
    list::<MOST_ALLOWED_APIS, ApiId, _>(value).map(AllowedApis::Only)
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let client = call.office.client(&call.who, call.path("client_id")?).await?;
    Ok(shown(&client, client.version))
}

pub(super) async fn change(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let client_id: ClientId = call.path("client_id")?;
    let errand = call.change()?;
    let change = call.body(|body| client_change(body, client_id))?;
    let client = call.office.change_client(&call.who, errand, change).await?;
    Ok(shown(&client, client.version))
}

/// The members of a change of a client.
pub(crate) fn client_change(body: &mut Members, client_id: ClientId) -> Option<ClientChange> {
    let name = body.optional("name", text);
    let contact = body.optional("contact", text);
    let access = match (body.optional("access_level", level), scope(body)) {
        (None, _) | (_, None) => None,
        (Some(None), Some(scope)) => Some(scope.map(AccessChange::Scope)),
        (Some(Some(Level::Full)), Some(None)) => Some(Some(AccessChange::To(AccessLevel::Full))),
        (Some(Some(Level::FineGrained)), Some(Some(scope))) => {
            Some(Some(AccessChange::To(AccessLevel::FineGrained(scope))))
        }
        (Some(Some(level)), Some(_)) => misplaced_scope(body, level),
    };
    let allowed_apis = body.change("allowed_apis", api_ids);
    let method = body.optional("token_endpoint_auth_method", auth_method);
    let token_lifetime = body.change("token_lifetime", whole);
    let own_limits = body.change("limits", limits);
    let sources = body.change("allowed_sources", allowed_sources);
    let expires_at = body.change("expires_at", text);
    Some(ClientChange {
        client_id,
        name: name?,
        contact: contact?,
        access: access?,
        allowed_apis: allowed_apis?.map(|only| only.unwrap_or(AllowedApis::Every)),
        token_endpoint_auth_method: method?,
        token_lifetime: token_lifetime?,
        limits: own_limits?,
        allowed_sources: sources?.map(|only| only.unwrap_or(AllowedSources::Any)),
        expires_at: expires_at?,
    })
}

pub(super) async fn suspend(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, client_id) = (call.bare_action()?, call.path("client_id")?);
    let client = call.office.suspend_client(&call.who, errand, client_id).await?;
    Ok(shown(&client, client.version))
}

pub(super) async fn reinstate(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, client_id) = (call.bare_action()?, call.path("client_id")?);
    let client = call.office.reinstate_client(&call.who, errand, client_id).await?;
    Ok(shown(&client, client.version))
}

pub(super) async fn revoke(call: Call) -> Result<HttpResponse, Problem> {
    let (errand, client_id) = (call.bare_action()?, call.path("client_id")?);
    let client = call.office.revoke_client(&call.who, errand, client_id).await?;
    Ok(shown(&client, client.version))
}
