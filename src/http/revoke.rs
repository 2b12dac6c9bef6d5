//! `POST /{environment}/revoke` (RFC 7009 §2): a client ends one of its own tokens. 200 means that the store has committed.

use std::time::Instant;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::endpoints::{Endpoints, read};
use super::error::{OAuthError, no_store};
use crate::authority::Caller;
use crate::telemetry::Endpoint;

pub(super) async fn revoke(request: HttpRequest, payload: Payload, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let caller = endpoints.caller(&request);
    let answer = match end(&endpoints, &request, payload, &caller).await {
        Ok(()) => {
            let mut response = HttpResponse::Ok();
            no_store(&mut response);
            response.finish()
        }
        Err(error) => endpoints.refuse(&error, &caller, Endpoint::Revoke),
    };
    endpoints.metrics.observe_request(Endpoint::Revoke, began.elapsed());
    answer
}

/// A wrong or unknown `token_type_hint` changes nothing (RFC 7009 §2.1): there is one type of token here.
async fn end(
    endpoints: &Endpoints,
    request: &HttpRequest,
    payload: Payload,
    caller: &Caller,
) -> Result<(), OAuthError> {
    let body = endpoints.body(request, payload).await?;
    let (form, presented) = read(request, &body)?;
    Ok(endpoints.authority.revoke(presented, form.get("token"), caller).await?)
}
