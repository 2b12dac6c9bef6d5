//! x
pub mod basic;
mod client_authentication;
mod error;
pub mod form;
pub mod peer;
