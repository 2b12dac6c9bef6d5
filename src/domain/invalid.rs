//! Why a text is not one of our values: a sentence that completes "the field …" and never quotes what was sent.

use thiserror::Error;

/// The reason a value was refused at parsing. It is written for the person who sent the value and holds no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Invalid {
    reason: &'static str,
}

impl Invalid {
    /// `reason` completes a sentence that begins with the name of the field: "is longer than 64 characters".
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self { reason }
    }

    /// The reason as given.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        self.reason
    }
}
