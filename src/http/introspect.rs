//! `POST /{environment}/introspect` (RFC 7662 §2): for resource servers, about tokens of their own audience.

use std::time::Instant;

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use super::endpoints::{Endpoints, read};
use super::error::{OAuthError, no_store};
use crate::authority::{Caller, Introspection};
use crate::telemetry::Endpoint;

/// The whole answer for a token that is not active (RFC 7662 §2.2): no member beside it, whatever the reason.
#[derive(Serialize)]
struct Inactive {
    active: bool,
}

pub(super) async fn introspect(request: HttpRequest, payload: Payload, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let caller = endpoints.caller(&request);
    let answer = match ask(&endpoints, &request, payload, &caller).await {
        Ok(introspection) => {
            let mut response = HttpResponse::Ok();
            no_store(&mut response);
            match introspection {
                Introspection::Active(token) => response.content_type(ContentType::json()).body(token.into_json()),
                Introspection::Inactive => response.json(Inactive { active: false }),
            }
        }
        Err(error) => endpoints.refuse(&error, &caller, Endpoint::Introspect),
    };
    endpoints.metrics.observe_request(Endpoint::Introspect, began.elapsed());
    answer
}

/// `token_type_hint` is no more than a hint, and there is one type of token here, so it is not looked at (RFC 7662 §2.1).
async fn ask(
    endpoints: &Endpoints,
    request: &HttpRequest,
    payload: Payload,
    caller: &Caller,
) -> Result<Introspection, OAuthError> {
    let body = endpoints.body(request, payload).await?;
    let (form, presented) = read(request, &body)?;
    Ok(endpoints
        .authority
        .introspect(presented, form.get("token"), caller)
        .await?)
}
