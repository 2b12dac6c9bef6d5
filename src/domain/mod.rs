//! The nouns of the house and of the RFCs, with their rules; no IO, no time, no chance of their own.

mod algorithm;
mod environment;
mod invalid;
mod time;

pub use algorithm::Algorithm;
pub use environment::Environment;
pub use invalid::Invalid;
pub use time::{Milliseconds, Seconds, Timestamp};
