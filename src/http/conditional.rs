//! Documents that caches keep: `Cache-Control`, `ETag`, and 304 for who has it already (RFC 9110 §13.1.2, RFC 9111).

use std::sync::Arc;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::{Document, Seconds};

/// The document, or 304 when the caller names its tag.
pub(super) fn answer(request: &HttpRequest, document: &Document, max_age: Seconds) -> HttpResponse {
    let known = is_known(request, document.etag());
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", max_age.get())))
        .insert_header((header::ETAG, document.etag()));
    if known {
        return response.finish();
    }
    let body = Bytes::from_owner(Arc::clone(document.body()));
    response.content_type("application/json").body(body)
}

/// Whether `If-None-Match` names `etag`, compared weakly (RFC 9110 §13.1.2), or anything at all.
fn is_known(request: &HttpRequest, etag: &str) -> bool {
    let named = request
        .headers()
        .get_all(header::IF_NONE_MATCH)
        .filter_map(|value| value.to_str().ok());
    named
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
