//! The store: one conformance suite that defines a backend, run on every one; then what each engine has of its own.

mod conformance;
pub mod engines;
mod master_key;
pub mod places;
pub mod samples;

pub use engines::Aside;
