//! Documents that caches keep: `Cache-Control`, `ETag`, and 304 for who has it already (RFC 9110 §13.1.2, RFC 9111).

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::{Seconds, sha256};

/// A document with its entity tag, quotes included.
pub(super) struct Document {
    pub(super) body: String,
    pub(super) etag: String,
}

impl Document {
    /// Tags `body` with the first half of its SHA-256: a strong entity tag (RFC 9110 §8.8.3).
    pub(super) fn new(body: String) -> Self {
        let digest = sha256(&[body.as_bytes()]);
        let etag = digest[..16]
            .iter()
            .fold(String::from("\""), |text, byte| text + &format!("{byte:02x}"))
            + "\"";
        Self { body, etag }
    }
}

/// The document, or 304 when the caller names its tag.
pub(super) fn answer(request: &HttpRequest, document: Document, max_age: Seconds) -> HttpResponse {
    let known = is_known(request, &document.etag);
    let mut response = if known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", max_age.get())))
        .insert_header((header::ETAG, document.etag.as_str()));
    if known {
        return response.finish();
    }
    response.content_type("application/json").body(document.body)
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
