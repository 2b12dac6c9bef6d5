//! Files that a page offers: saved under a name, opened by no browser as a page of ours.

use actix_web::HttpResponse;
use actix_web::http::header;

/// A table for spreadsheets, to be saved under `name`, which is made here and needs no quoting.
pub(super) fn spreadsheet(name: &str, table: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .content_type("text/csv; charset=utf-8; header=present")
        .body(table)
}
