//! What the admin API answers with when all is well. Nothing of it is stored by caches (RFC 9111 §5.2.2.5).

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use crate::domain::Epoch;
use crate::office::Created;

/// An answer with a JSON body.
pub(super) fn json<T: Serialize>(status: StatusCode, body: &T) -> HttpResponse {
    let text = serde_json::to_string(body).expect("the views have text keys and no failing serializer");
    HttpResponse::build(status)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .content_type("application/json")
        .body(text)
}

/// One thing as it is, with its version as entity tag (RFC 9110 §8.8.3).
pub(super) fn shown<T: Serialize>(thing: &T, version: Epoch) -> HttpResponse {
    tagged(json(StatusCode::OK, thing), version)
}

/// A thing created now (201), or before under the same idempotency key (200), and where it is found.
pub(super) fn created<T: Serialize>(view: &Created<T>, version: Epoch, location: &str) -> HttpResponse {
    let mut answer = match view {
        Created::Now(view) => json(StatusCode::CREATED, view),
        Created::Before(view) => {
            let mut answer = json(StatusCode::OK, view);
            let replayed = header::HeaderName::from_static("idempotency-replayed");
            answer
                .headers_mut()
                .insert(replayed, header::HeaderValue::from_static("true"));
            answer
        }
    };
    let location = header::HeaderValue::from_str(&format!("/admin/v1{location}")).expect("ids are visible ASCII");
    answer.headers_mut().insert(header::LOCATION, location);
    tagged(answer, version)
}

fn tagged(mut answer: HttpResponse, version: Epoch) -> HttpResponse {
    let tag = header::HeaderValue::from_str(&format!("\"{version}\"")).expect("a number is visible ASCII");
    answer.headers_mut().insert(header::ETAG, tag);
    answer
}
