//! What the pages are drawn with. Each file is named by its content, so that a browser keeps it for good and never an old one.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use crate::domain::sha256;

/// A file of the binary.
pub(super) struct Asset {
    path: String,
    media_type: &'static str,
    content: &'static str,
}

impl Asset {
    fn new((name, media_type): (&str, &'static str), content: &'static str) -> Self {
        let digest = sha256(&[content.as_bytes()]);
        let [a, b, c, d, ..] = digest;
        Self {
            path: format!("/assets/{a:02x}{b:02x}{c:02x}{d:02x}/{name}"),
            media_type,
            content,
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn answer(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .content_type(self.media_type)
            .body(self.content)
    }
}

/// How the pages look.
pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let name = ("style.css", "text/css; charset=utf-8");
    Asset::new(name, include_str!("../../assets/style.css"))
});

/// What stands beside the title in a browser.
pub(super) static ICON: LazyLock<Asset> = LazyLock::new(|| {
    let name = ("icon.svg", "image/svg+xml");
    Asset::new(name, include_str!("../../assets/icon.svg"))
});

/// What helps where there are scripts.
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    let name = ("console.js", "text/javascript; charset=utf-8");
    Asset::new(name, include_str!("../../assets/console.js"))
});

/// Puts the files in place.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    for asset in [&STYLE, &SCRIPT, &ICON] {
        let file = web::resource(asset.path())
            .get(|| async { asset.answer() })
            .head(|| async { asset.answer() });
        config.service(file);
    }
}
