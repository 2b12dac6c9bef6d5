//! `GET /{environment}/jwks` (RFC 7517 §5): the keys that verify, and those that soon will.

use std::sync::Arc;
use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::conditional::answer;
use super::endpoints::Endpoints;
use super::error::OAuthError;
use crate::authority::Denial;
use crate::registry::Keyring;
use crate::telemetry::Endpoint;

pub(super) async fn jwks(request: HttpRequest, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let response = match published(&endpoints).await {
        Ok(keyring) => answer(&request, keyring.jwks(), endpoints.limits.max_age),
        Err(error) => endpoints.refuse(&error, &endpoints.caller(&request), Endpoint::Jwks),
    };
    endpoints.metrics.observe_request(Endpoint::Jwks, began.elapsed());
    response
}

async fn published(endpoints: &Endpoints) -> Result<Arc<Keyring>, OAuthError> {
    let view = endpoints.authority.registry().fresh().await.map_err(Denial::from)?;
    let keyring = view.keyring(endpoints.environment()).await;
    Ok(keyring.map_err(Denial::from)?)
}
