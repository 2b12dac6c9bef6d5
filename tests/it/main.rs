//! The integration tests: one binary, one module for each concern.

mod admin;
mod cli;
mod docs;
mod store;
mod support;
