//! The integration tests: one binary, one module for each concern.

mod admin;
mod browser;
mod cli;
mod console;
mod docs;
mod ledger;
mod notices;
mod oauth;
mod pressure;
mod process;
mod regressions;
mod replicas;
mod store;
mod support;
