//! `/admin/v1/clients/{client_id}/secrets`.

use std::net::IpAddr;

use actix_web::HttpResponse;
use serde::Serialize;

use super::answer::{created, shown};
use super::call::Call;
use super::fields::text;
use super::paging::Asked;
use super::problem::Problem;
use crate::domain::{ClientId, ClientSecret, SecretId};
use crate::office::{NewSecret, Retirement, SecretStanding, SecretWithText};

/// A secret as it is shown. Where it is one of a list or looked up, it says too whether it is safe to retire.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    secret: ClientSecret,
    last_used_source: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safe_to_retire: Option<bool>,
}

impl From<ClientSecret> for Shown {
    fn from(secret: ClientSecret) -> Self {
        Self {
            last_used_source: secret.last_used_source,
            secret,
            safe_to_retire: None,
        }
    }
}

impl From<SecretStanding> for Shown {
    fn from(standing: SecretStanding) -> Self {
        Self {
            safe_to_retire: Some(standing.safe_to_retire),
            ..standing.secret.into()
        }
    }
}

/// A secret just made.
#[derive(Serialize)]
struct View {
    secret: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let asked = call.query(Asked::read)?;
    let secrets = call.office.secrets(&call.who, call.path("client_id")?).await?;
    let secrets = secrets.into_iter().map(Shown::from).collect();
    asked.answer_from(secrets, |shown: &Shown| shown.secret.secret_id.clone())
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let (client_id, secret_id) = (call.path("client_id")?, call.path("secret_id")?);
    let secret = call.office.secret(&call.who, client_id, secret_id).await?;
    let version = secret.secret.version;
    Ok(shown(&Shown::from(secret), version))
}

pub(super) async fn add(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let client_id: ClientId = call.path("client_id")?;
    let secrets = format!("/clients/{client_id}/secrets");
    let errand = call.creation()?;
    let new = call.body_if_any(|body| {
        let note = body.nullable("note", text);
        let not_before = body.optional("not_before", text);
        let expires_at = body.nullable("expires_at", text);
        let retire_others_at = body.optional("retire_others_at", text);
        Some(NewSecret {
            client_id,
            note: note?,
            not_before: not_before?,
            expires_at: expires_at?,
            retire_others_at: retire_others_at?,
        })
    })?;
    let added = call.office.add_secret(&call.who, errand, new).await?;
    let kept = &added.thing().kept;
    let (version, location) = (kept.version, format!("{secrets}/{}", kept.secret_id));
    let view = added.map(|SecretWithText { kept, secret }| View {
        secret: kept.into(),
        client_secret: secret.map(|secret| secret.expose().to_owned()),
    });
    Ok(created(&view, version, &location))
}

pub(super) async fn retire(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let client_id: ClientId = call.path("client_id")?;
    let secret_id: SecretId = call.path("secret_id")?;
    let errand = call.action()?;
    let retirement = call.body_if_any(|body| {
        let at = body.optional("at", text);
        Some(Retirement {
            client_id,
            secret_id,
            at: at?,
        })
    })?;
    let secret = call.office.retire_secret(&call.who, errand, retirement).await?;
    let version = secret.version;
    Ok(shown(&Shown::from(secret), version))
}
