//! `POST /{environment}/token` (RFC 6749 §3.2). The checks come in this order, and tests depend on it: size, media type, form,
//! client authentication, grant type, the client's right to it, resource and scope, issue.

use std::time::Instant;

use actix_web::http::header::ContentType;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::endpoints::{Endpoints, read};
use super::error::{ErrorCode, OAuthError, no_store};
use super::rate_limit;
use crate::authority::{AuthorityError, Caller, Denial, Issued, TokenRequest};
use crate::telemetry::{Endpoint, TokenOutcome};

pub(super) async fn token(request: HttpRequest, payload: Payload, endpoints: Data<Endpoints>) -> HttpResponse {
    let began = Instant::now();
    let caller = endpoints.caller(&request);
    let outcome = obtain(&endpoints, &request, payload, &caller).await;
    endpoints
        .metrics
        .count_token(endpoints.environment(), counted_as(&outcome));
    let answer = match outcome {
        Ok(issued) => {
            let mut response = HttpResponse::Ok();
            no_store(&mut response);
            rate_limit::served(&mut response, &issued.left);
            response
                .content_type(ContentType::json())
                .body(issued.response.to_json())
        }
        Err(error) => endpoints.refuse(&error, &caller, Endpoint::Token),
    };
    endpoints.metrics.observe_request(Endpoint::Token, began.elapsed());
    answer
}

async fn obtain(
    endpoints: &Endpoints,
    request: &HttpRequest,
    payload: Payload,
    caller: &Caller,
) -> Result<Issued, OAuthError> {
    let body = endpoints.body(request, payload).await?;
    let (form, presented) = read(request, &body)?;
    let asked = TokenRequest {
        grant_type: form.get("grant_type"),
        scope: form.get("scope"),
        resources: form.all("resource").collect(),
    };
    Ok(endpoints.authority.token(presented, asked, caller).await?)
}

fn counted_as(outcome: &Result<Issued, OAuthError>) -> TokenOutcome {
    match outcome {
        Ok(_) => TokenOutcome::Issued,
        Err(OAuthError::Authority(Denial {
            why: AuthorityError::Limited(_),
            ..
        })) => TokenOutcome::Limited,
        Err(error) => match error.refused().code {
            ErrorCode::InvalidRequest => TokenOutcome::InvalidRequest,
            ErrorCode::InvalidClient => TokenOutcome::InvalidClient,
            ErrorCode::UnauthorizedClient => TokenOutcome::UnauthorizedClient,
            ErrorCode::UnsupportedGrantType => TokenOutcome::UnsupportedGrantType,
            ErrorCode::InvalidScope => TokenOutcome::InvalidScope,
            ErrorCode::InvalidTarget => TokenOutcome::InvalidTarget,
            ErrorCode::TemporarilyUnavailable => TokenOutcome::Unavailable,
        },
    }
}
