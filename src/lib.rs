//! Mintmark: an OAuth 2.0 client-credentials authorization server.
//!
//! The map of the house. A room imports only from the floors below it; `tests/floors.rs` holds every file to that.
//!
//! | floor | room | what it promises |
//! | --- | --- | --- |
//! | 5 | `cli`, `app`, `config` | the verbs, the composition root, settings parsed once |
//! | 4 | `http` | the doors: OAuth endpoints, discovery, admin API, health, errors |
//! | 4 | `console` | the operators' pages |
//! | 3 | `authority`, `office` | who gets a token and what it says; who may change what |
//! | 3 | `notices` | what operators are told before it happens |
//! | 2 | `registry` | what this replica remembers, and how it knows it is still true |
//! | 1 | `jose`, `store`, `telemetry` | signatures; what survives a restart; what is seen from outside |
//! | 0 | `domain`, [`ambient`] | the nouns and their rules, without IO; the only doors to time and chance |
#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, rustdoc::broken_intra_doc_links)]
#![warn(clippy::pedantic)]
#![deny(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::dbg_macro,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::fn_params_excessive_bools,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::todo,
    clippy::unimplemented,
    clippy::unwrap_used
)]

pub mod ambient;
pub mod app;
pub mod authority;
pub mod cli;
pub mod config;
pub mod console;
pub mod domain;
pub mod http;
pub mod jose;
pub mod notices;
pub mod office;
pub mod registry;
pub mod store;
pub mod telemetry;
