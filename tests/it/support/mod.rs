//! What the tests stand on.

pub mod admin_harness;
pub mod asking;
pub mod postgresql;
pub mod schema;
