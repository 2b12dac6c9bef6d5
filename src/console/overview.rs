//! `/console`: what happens, and what needs attention.

use actix_web::HttpResponse;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::page;
use super::trouble::Trouble;
use super::visit::Visit;

#[derive(Template)]
#[template(path = "overview.html")]
struct Page {
    chrome: Chrome,
}

/// The page.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let chrome = Chrome::new(&visit, Some(Section::Overview));
    Ok(page::shown(&Page { chrome }))
}
