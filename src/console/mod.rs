//! The operators' pages, on the admin listener: rendered here, whole without scripts, and without a rule of their own. What they
//! show and change goes through the same rooms as the admin API, and is refused with the same sentences.

mod api_edit;
mod apis;
mod assets;
mod attention;
mod chrome;
mod client_edit;
mod client_list;
mod clients;
mod cookie;
mod door;
mod editing;
mod faults;
mod file;
mod form;
mod graph;
mod journal;
mod keys;
mod list;
mod operators;
mod overview;
mod page;
mod partner_edit;
mod partners;
mod routes;
mod scopes;
mod set_up;
mod sign_in;
mod standing;
mod timeline;
mod trouble;
mod usage;
mod visit;
mod words;

use std::sync::Arc;

pub use cookie::CookieScope;
pub use door::configure;
pub use routes::{ROUTES, Route, Verb};

use crate::ambient::{Clock, Entropy};
use crate::http::admin::Gate;
use crate::office::Office;

/// Where the pages begin.
pub const PREFIX: &str = "/console";

/// What the pages are made with.
#[derive(Clone)]
pub struct ConsoleParts {
    /// Where administrators are served.
    pub office: Arc<Office>,
    /// The bounds of what is sent, as at the admin API.
    pub gate: Gate,
    /// The address under which partners reach this server.
    pub public_url: String,
    /// Over what browsers send their cookie back.
    pub cookie: CookieScope,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where the keys of creations come from.
    pub entropy: Arc<dyn Entropy>,
}
