//! The admin API.

/// The routes.
pub fn configure(_config: &mut actix_web::web::ServiceConfig) {}
