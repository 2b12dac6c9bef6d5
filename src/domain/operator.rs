//! Operators: named people or automation that administer, and what each role may do.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::journal::Epoch;
use super::random;
use super::refusal::Refusal;
use super::secret::SecretDigest;
use super::text::{EmailAddress, text_type};
use super::time::Timestamp;
use crate::ambient::Entropy;

/// Characters in an operator's id: 60 random bits.
const OPERATOR_ID_CHARACTERS: usize = 12;

text_type! {
    /// The id of an operator.
    OperatorId
}

impl OperatorId {
    /// A new one.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        Self(random::base32(entropy, OPERATOR_ID_CHARACTERS).into())
    }
}

impl FromStr for OperatorId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if random::is_base32(text, OPERATOR_ID_CHARACTERS) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not the id of an operator"))
        }
    }
}

/// What an operator may do. Each role may do all that the one before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Creates, changes, rotates, revokes.
    Operator,
    /// Manages operators and keys too.
    Owner,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Owner];

    /// The word in JSON, SQL and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| Invalid::new("is none of viewer, operator, owner"))
    }
}

/// A named person or automation that administers.
#[derive(Clone, Debug, Serialize)]
pub struct Operator {
    /// Its id.
    pub operator_id: OperatorId,
    /// Who it is. Unique among operators that are not revoked.
    pub email: EmailAddress,
    /// What it may do.
    pub role: Role,
    /// The keyed digest of its token.
    #[serde(skip)]
    pub token_digest: SecretDigest,
    /// The last four characters of its token.
    pub token_hint: String,
    /// Until when the token works.
    pub token_expires_at: Timestamp,
    /// Whether it may act.
    pub status: OperatorStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// The epoch of its last change.
    pub version: Epoch,
}

/// Whether an operator may act. Revoked is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorStatus {
    /// It may.
    Active,
    /// It never may again.
    Revoked,
}

impl OperatorStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Revoked];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
        }
    }
}

impl Operator {
    /// Whether its token works at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == OperatorStatus::Active && now < self.token_expires_at
    }

    /// Whether it can administer operators and keys at `now`. Of those one must always be left.
    #[must_use]
    pub fn is_live_owner(&self, now: Timestamp) -> bool {
        self.role == Role::Owner && self.is_live(now)
    }

    /// The operator, if it can still be changed.
    ///
    /// # Errors
    /// When it is revoked.
    pub fn changeable(self) -> Result<Self, Refusal> {
        match self.status {
            OperatorStatus::Active => Ok(self),
            OperatorStatus::Revoked => Err(Refusal::State("the operator is revoked, and that is final")),
        }
    }

    /// The operator, revoked for ever.
    ///
    /// # Errors
    /// When it is revoked already.
    pub fn revoked(self) -> Result<Self, Refusal> {
        Ok(Self {
            status: OperatorStatus::Revoked,
            ..self.changeable()?
        })
    }
}
