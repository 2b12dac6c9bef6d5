//! `/admin/v1/keys`. A change by hand answers with the environment's published keys as they are after it.

use actix_web::HttpResponse;
use zeroize::Zeroizing;

use super::answer::shown;
use super::call::Call;
use super::fields::{Faulty, Value, text};
use super::paging::{Asked, whole};
use super::problem::Problem;
use crate::domain::{Environment, Invalid, SigningKeyRecord};
use crate::office::{KeyAddress, KeyImport};

/// The longest PEM text, in bytes: an RSA key of 4096 bits takes about 3300.
const LONGEST_PEM: usize = 16_384;

pub(super) async fn list_all(call: Call) -> Result<HttpResponse, Problem> {
    let (environment, asked) = call.query(|query| {
        let asked = Asked::read(query);
        let environment = query.optional("environment", text);
        Some((environment?, asked?))
    })?;
    let keys = call.office.keys(&call.who, environment).await?;
    asked.answer_from(keys, |key: &SigningKeyRecord| key.kid.clone())
}

pub(super) async fn show(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let address = KeyAddress {
        environment: call.path("environment")?,
        kid: call.path("kid")?,
    };
    let key = call.office.key(&call.who, address).await?;
    Ok(shown(&key, key.version))
}

pub(super) async fn rotate(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    call.body_if_any(|_| Some(()))?;
    let (errand, environment) = (call.action_on_a_ring()?, call.path("environment")?);
    let keys = call.office.rotate_key(&call.who, errand, environment).await?;
    Ok(whole(keys))
}

pub(super) async fn import(call: Call) -> Result<HttpResponse, Problem> {
    call.no_query()?;
    let (errand, environment) = (call.action_on_a_ring()?, call.path::<Environment>("environment")?);
    let pem = call.body(|body| body.required("pem", pem))?;
    let import = KeyImport::from_pem(environment, call.office.key_algorithm(environment), &pem)?;
    let keys = call.office.import_key(&call.who, errand, import).await?;
    Ok(whole(keys))
}

fn pem(value: &Value) -> Result<Zeroizing<String>, Faulty> {
    let reason = match value {
        Value::Text(pem) if pem.len() <= LONGEST_PEM => return Ok(Zeroizing::new(pem.clone())),
        Value::Text(_) => "is longer than 16384 characters",
        _ => "must be a text",
    };
    Err(vec![(String::new(), Invalid::new(reason))])
}

pub(super) async fn revoke(call: Call) -> Result<HttpResponse, Problem> {
    let errand = call.bare_action()?;
    let address = KeyAddress {
        environment: call.path("environment")?,
        kid: call.path("kid")?,
    };
    let keys = call.office.revoke_key(&call.who, errand, address).await?;
    Ok(whole(keys))
}
