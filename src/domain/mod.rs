//! The nouns of the house and of the RFCs, with their rules; no IO, no time, no chance of their own.

mod algorithm;
mod environment;
mod invalid;
mod request_id;
mod resource;
mod scope;
mod text;
mod time;

pub use algorithm::Algorithm;
pub use environment::Environment;
pub use invalid::Invalid;
pub use request_id::RequestId;
pub use resource::ResourceIndicator;
pub use scope::{MOST_SCOPE_TOKENS, Scope, ScopeToken};
pub(crate) use text::is_invisible;
pub use text::{ApiId, EmailAddress, Name, PartnerId};
pub use time::{Milliseconds, Seconds, Timestamp};
