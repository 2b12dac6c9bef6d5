//! `GET /{environment}/jwks` (RFC 7517 §5): the keys that verify, and those that soon will.

use std::time::Instant;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::conditional::{Document, answer};
use super::endpoints::Endpoints;
use super::error::OAuthError;
use crate::authority::Denial;
use crate::telemetry::Endpoint;

pub(super) async fn jwks(request: HttpRequest, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let response = match published(&endpoints).await {
        Ok(document) => answer(&request, document, endpoints.limits.max_age),
        Err(error) => endpoints.refuse(&error, &endpoints.caller(&request), Endpoint::Jwks),
    };
    endpoints.metrics.observe_request(Endpoint::Jwks, began.elapsed());
    response
}

async fn published(endpoints: &Endpoints) -> Result<Document, OAuthError> {
    let view = endpoints.authority.registry().fresh().await.map_err(Denial::from)?;
    let keyring = view.keyring(endpoints.environment()).await.map_err(Denial::from)?;
    Ok(Document::new(keyring.jwks().to_owned()))
}
