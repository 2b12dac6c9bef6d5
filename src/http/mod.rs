//! The doors: what comes in by HTTP is parsed here and nowhere else, what goes out is written here and nowhere else.

pub mod admin;
pub mod peer;
