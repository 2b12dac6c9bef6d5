//! Why a change is not made, though the store would answer: the state or the request does not allow it.

use std::fmt;

use thiserror::Error;

use super::invalid::Invalid;
use super::operator::Role;
use super::time::Timestamp;

/// What a refusal or a journal row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A partner.
    Partner,
    /// An API.
    Api,
    /// A client.
    Client,
    /// A client's secret.
    Secret,
    /// An operator.
    Operator,
    /// A signing key.
    Key,
    /// An access token.
    Token,
}

impl Noun {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Partner,
        Self::Api,
        Self::Client,
        Self::Secret,
        Self::Operator,
        Self::Key,
        Self::Token,
    ];

    /// The word in JSON, SQL and sentences.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Api => "api",
            Self::Client => "client",
            Self::Secret => "secret",
            Self::Operator => "operator",
            Self::Key => "key",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Noun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a change is not made. Each holds only what the caller may read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(Noun),
    /// Something else has that name already.
    #[error("{field} is taken by another {noun}")]
    Taken {
        /// What there is already.
        noun: Noun,
        /// The field that must be unique.
        field: &'static str,
    },
    /// The thing was changed since the caller read it (RFC 9110 §13.1.1).
    #[error("it was changed since it was read")]
    Stale,
    /// A field does not fit what else is known.
    #[error("{field} {reason}")]
    Invalid {
        /// The field, as the caller names it.
        field: &'static str,
        /// Why not.
        reason: Invalid,
    },
    /// What it is now does not allow it.
    #[error("{0}")]
    State(&'static str),
    /// The announced key may not sign yet: verifiers that remember the JWKS could not know it (RFC 9111).
    #[error("the announced key may sign from {from}, when every remembered JWKS holds it")]
    TooEarly {
        /// From when it may.
        from: Timestamp,
    },
    /// The operator's role does not allow it.
    #[error("this needs the role {}", needs.as_str())]
    Forbidden {
        /// The least role that would.
        needs: Role,
    },
    /// The idempotency key was used before, for another request.
    #[error("this idempotency key was used for a different request")]
    KeyReused,
}
