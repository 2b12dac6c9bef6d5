//! Signing keys as the store knows them: state and times in clear, the private part sealed.

use serde::{Deserialize, Serialize};

use super::algorithm::Algorithm;
use super::environment::Environment;
use super::journal::Epoch;
use super::key_id::KeyId;
use super::refusal::Refusal;
use super::time::{Seconds, Timestamp};

/// A signing key of one environment.
#[derive(Clone, Debug, Serialize)]
pub struct SigningKeyRecord {
    /// The RFC 7638 thumbprint of its public part.
    pub kid: KeyId,
    /// Whose issuer it signs for.
    pub environment: Environment,
    /// The one algorithm it signs with.
    pub algorithm: Algorithm,
    /// Where it stands in its life.
    pub state: KeyState,
    /// The public part as a JWK (RFC 7517 §4), in JSON.
    #[serde(skip)]
    pub public_jwk: String,
    /// The private part, PKCS#8, sealed under the master key.
    #[serde(skip)]
    pub sealed_private_key: Vec<u8>,
    /// Since when it stands in the JWKS.
    pub announced_at: Timestamp,
    /// The largest `max-age` with which the JWKS was served while this was the newest key in it.
    pub jwks_max_age: Seconds,
    /// Since when it signs.
    pub active_since: Option<Timestamp>,
    /// Since when it no longer signs.
    pub retiring_since: Option<Timestamp>,
    /// Since when it is out of the JWKS.
    pub retired_at: Option<Timestamp>,
    /// The epoch of its last change.
    pub version: Epoch,
}

impl SigningKeyRecord {
    /// The key, in a JWKS that is served with `max_age` from now on.
    #[must_use]
    pub fn lengthened(self, max_age: Seconds) -> Self {
        Self {
            jwks_max_age: self.jwks_max_age.max(max_age),
            ..self
        }
    }

    /// The key, signing from `now` on.
    #[must_use]
    pub fn activated(self, now: Timestamp) -> Self {
        Self {
            state: KeyState::Active,
            active_since: Some(now),
            ..self
        }
    }

    /// The key, no longer signing.
    #[must_use]
    pub fn retiring(self, now: Timestamp) -> Self {
        Self {
            state: KeyState::Retiring,
            retiring_since: Some(now),
            ..self
        }
    }

    /// The key, out of the JWKS in its time.
    #[must_use]
    pub fn retired(self, now: Timestamp) -> Self {
        Self {
            state: KeyState::Retired,
            retired_at: Some(now),
            ..self
        }
    }

    /// The key, out of the JWKS at once.
    ///
    /// # Errors
    /// When it is out of it already.
    pub fn revoked(self, now: Timestamp) -> Result<Self, Refusal> {
        if !self.state.is_published() {
            return Err(Refusal::State("the key is out of the JWKS already"));
        }
        Ok(Self {
            state: KeyState::Revoked,
            retired_at: Some(now),
            ..self
        })
    }
}

/// Where a signing key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// In the JWKS, not yet signing.
    Announced,
    /// Signing.
    Active,
    /// In the JWKS until its last token has expired everywhere.
    Retiring,
    /// Out of the JWKS; what it signed is refused.
    Retired,
    /// Taken out at once; what it signed is refused.
    Revoked,
}

impl KeyState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 5] = [
        Self::Announced,
        Self::Active,
        Self::Retiring,
        Self::Retired,
        Self::Revoked,
    ];

    /// The word in JSON, SQL and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether a key in this state stands in the JWKS, and so whether its signatures count.
    #[must_use]
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Announced | Self::Active | Self::Retiring)
    }
}
