//! A page as it is answered: kept by no cache, framed by nobody, with styles and scripts of ours alone, and nothing of other hosts.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

/// CSP level 3. Nothing inline, so that what a partner typed can never become a script.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// A page.
pub(super) fn shown<T: Template>(page: &T) -> HttpResponse {
    with_status(StatusCode::OK, page)
}

/// A page that is no success.
pub(super) fn with_status<T: Template>(status: StatusCode, page: &T) -> HttpResponse {
    let text = page
        .render()
        .expect("our templates write to memory and call nothing that fails");
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::X_FRAME_OPTIONS, "DENY"))
        // With `no-referrer` browsers name no origin with a form, by which we know our own.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((
            header::HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ))
        .insert_header((
            header::HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ))
        .body(text)
}

/// Leads the browser on, by a request that can be repeated without harm (RFC 9110 §15.4.4).
pub(super) fn see(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
