//! The doors: OAuth endpoints and discovery on the public listener, administration on the other, health on both.
//!
//! A handler reads the request into types, asks one room of the floor below, and turns the outcome into an answer. No rule lives
//! here but those of HTTP.

pub mod admin;
pub mod basic;
mod client_authentication;
mod conditional;
mod discovery;
mod endpoints;
mod error;
pub mod form;
mod heads;
mod health;
mod introspect;
mod jwks;
mod layers;
mod metrics;
mod paced;
pub mod peer;
mod quiet;
mod rate_limit;
mod revoke;
mod token;
mod unread;

use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};

pub use endpoints::{Endpoints, OAuthLimits};
pub use error::{ErrorCode, ErrorDescription, OAuthError};
pub use health::Health;
pub use layers::{Layers, RequestLog, outermost};
pub use metrics::Scrape;
pub use paced::Paced;
pub use quiet::Connections;

use crate::domain::Environment;

/// The routes of the public listener: the endpoints of each environment, discovery, health.
pub fn configure_public(config: &mut web::ServiceConfig, endpoints: &[Arc<Endpoints>], health: &Arc<Health>) {
    for endpoints in endpoints {
        let environment = endpoints.environment();
        let at = |path: String| web::resource(path).app_data(web::Data::from(Arc::clone(endpoints)));
        let posted = |name| at(format!("/{environment}/{name}")).default_service(web::to(endpoints::only_post));
        let got = |path| at(path).default_service(web::to(only_get));
        // The router asks each in turn: the one that is asked for most comes first.
        config
            .service(posted("token").post(token::token))
            .service(posted("introspect").post(introspect::introspect))
            .service(posted("revoke").post(revoke::revoke))
            .service(got(format!("/{environment}/jwks")).get(jwks::jwks).head(jwks::jwks));
        let openid = format!("/{environment}/.well-known/openid-configuration");
        for path in [well_known(environment), openid] {
            config.service(got(path).get(discovery::metadata).head(discovery::metadata));
        }
    }
    configure_health(config, health, health::ready_in_short);
    config.default_service(web::to(nowhere));
}

/// The routes of the admin listener that are not the admin API: metrics and health.
pub fn configure_admin(config: &mut web::ServiceConfig, health: &Arc<Health>, scrape: &Arc<Scrape>) {
    let metrics = web::resource("/metrics")
        .app_data(web::Data::from(Arc::clone(scrape)))
        .get(metrics::metrics)
        .head(metrics::metrics)
        .default_service(web::to(only_get));
    config.service(metrics);
    configure_health(config, health, health::ready_in_full);
    config.default_service(web::to(nowhere));
}

fn configure_health<F, Args>(config: &mut web::ServiceConfig, health: &Arc<Health>, ready: F)
where
    F: actix_web::Handler<Args> + Clone,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    config
        .service(
            web::resource("/livez")
                .app_data(web::Data::from(Arc::clone(health)))
                .get(health::live)
                .head(health::live)
                .default_service(web::to(only_get)),
        )
        .service(
            web::resource("/readyz")
                .app_data(web::Data::from(Arc::clone(health)))
                .get(ready.clone())
                .head(ready)
                .default_service(web::to(only_get)),
        );
}

/// Where RFC 8414 §3 puts the metadata of the issuer `{public_url}/{environment}`.
fn well_known(environment: Environment) -> String {
    format!("/.well-known/oauth-authorization-server/{environment}")
}

async fn nowhere() -> HttpResponse {
    about(StatusCode::NOT_FOUND, "there is nothing at this path")
}

async fn only_get() -> HttpResponse {
    let mut response = about(StatusCode::METHOD_NOT_ALLOWED, "this resource takes GET and HEAD only");
    let allowed = header::HeaderValue::from_static("GET, HEAD");
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

/// A problem that is no OAuth error (RFC 9457 §3).
fn about(status: StatusCode, detail: &str) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    let body =
        serde_json::json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    HttpResponse::build(status)
        .content_type("application/problem+json")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(body.to_string())
}
