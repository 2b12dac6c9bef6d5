//! What comes with a request beside its content: its id, the version its sender knew, the key under which it may be repeated.

use crate::domain::{Epoch, IdempotencyKey, Refusal, RequestId};

/// What comes with a request beside its content.
#[derive(Clone, Debug, Default)]
pub struct Errand {
    /// The request's id, for the journal.
    pub request_id: Option<RequestId>,
    /// The versions the sender knew.
    pub if_match: IfMatch,
    /// Under which key a creation may be repeated.
    pub idempotency: Option<Idempotency>,
}

/// The condition of a change (RFC 9110 §13.1.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever it is now.
    #[default]
    Anything,
    /// Only what has one of these versions.
    Versions(Vec<Epoch>),
}

impl IfMatch {
    /// Lets a thing of this `version` pass.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when the sender knew another.
    pub(super) fn admit(&self, version: Epoch) -> Result<(), Refusal> {
        match self {
            Self::Versions(known) if !known.contains(&version) => Err(Refusal::Stale),
            Self::Versions(_) | Self::Anything => Ok(()),
        }
    }
}

/// The key of a creation, and what was asked for under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 over route and body.
    pub fingerprint: [u8; 32],
}

/// What a creation answers with.
#[derive(Clone, Debug)]
pub enum Created<T> {
    /// It was created now.
    Now(T),
    /// It was created before, under the same idempotency key.
    Before(T),
}

impl<T> Created<T> {
    /// The same with another content.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Created<U> {
        match self {
            Self::Now(thing) => Created::Now(change(thing)),
            Self::Before(thing) => Created::Before(change(thing)),
        }
    }

    /// What was created, whenever.
    #[must_use]
    pub const fn thing(&self) -> &T {
        match self {
            Self::Now(thing) | Self::Before(thing) => thing,
        }
    }
}
