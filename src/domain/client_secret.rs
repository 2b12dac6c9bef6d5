//! What is kept of a client's secret: id, note, hint, window, and the keyed digest; never the secret.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::client::ClientId;
use super::invalid::Invalid;
use super::journal::Epoch;
use super::random;
use super::refusal::Refusal;
use super::secret::SecretDigest;
use super::text::Name;
use super::time::{Seconds, Timestamp};
use crate::ambient::Entropy;

/// The most secrets of one client that may be live or yet to come: enough for any rotation, few enough to compare with all.
pub const MOST_LIVE_SECRETS: usize = 5;

/// Characters in a secret's id: 80 random bits.
const SECRET_ID_CHARACTERS: usize = 16;

/// The id of a secret, by which it is named without being shown. Every `jti` begins with the id of the secret that obtained it. All are
/// equally long, so none needs room elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretId([u8; SECRET_ID_CHARACTERS]);

impl SecretId {
    /// Its length in characters.
    pub const LENGTH: usize = SECRET_ID_CHARACTERS;

    /// A new one.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        Self(random::base32_characters(entropy))
    }

    /// The text.
    ///
    /// # Panics
    /// Never: only characters of the alphabet of random ids get here.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("every character of the alphabet is ASCII")
    }
}

impl fmt::Display for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SecretId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl TryFrom<String> for SecretId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<SecretId> for String {
    fn from(secret_id: SecretId) -> Self {
        secret_id.as_str().to_owned()
    }
}

impl FromStr for SecretId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let characters = text.as_bytes().try_into().ok();
        let ours = characters.filter(|_| random::is_base32(text, SECRET_ID_CHARACTERS));
        ours.map(Self).ok_or(Invalid::new("is not the id of a secret"))
    }
}

/// Whether a secret was ended. That is a state and no moment, so that no replica whose clock is slow, or set back, takes it up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretStatus {
    /// It was not: it works within its window.
    Active,
    /// It was, and never works again.
    Retired,
}

impl SecretStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Retired];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// When a secret works: from a moment on, until another, and not at all once it was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretWindow {
    /// From when it works.
    pub not_before: Timestamp,
    /// Until when it works, if it is not ended before.
    pub expires_at: Option<Timestamp>,
    /// Whether it was ended.
    pub status: SecretStatus,
}

impl SecretWindow {
    /// Whether the secret works at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.not_before <= now && !self.has_ended(now)
    }

    /// Whether it has stopped working for good.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.status == SecretStatus::Retired || self.expires_at.is_some_and(|expiry| expiry <= now)
    }
}

/// What is kept of one secret of a client.
#[derive(Clone, Debug, Serialize)]
pub struct ClientSecret {
    /// Its id.
    pub secret_id: SecretId,
    /// Whose it is.
    pub client_id: ClientId,
    /// Its keyed digest.
    #[serde(skip)]
    pub digest: SecretDigest,
    /// What people call it.
    pub note: Option<Name>,
    /// Its last four characters.
    pub hint: String,
    /// Who made it, in the journal's words.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when it works.
    pub not_before: Timestamp,
    /// Whether it was ended.
    pub status: SecretStatus,
    /// Until when it works, if it is not ended before.
    pub expires_at: Option<Timestamp>,
    /// When it last obtained or inspected something, as far as that was written, some time after. Not part of the journal.
    pub last_used_at: Option<Timestamp>,
    /// From which address that was. Kept out of the journal, which forgets nothing.
    #[serde(skip)]
    pub last_used_source: Option<IpAddr>,
    /// The epoch of its last change.
    pub version: Epoch,
}

impl ClientSecret {
    /// When it works.
    #[must_use]
    pub const fn window(&self) -> SecretWindow {
        SecretWindow {
            not_before: self.not_before,
            expires_at: self.expires_at,
            status: self.status,
        }
    }

    /// Whether it works at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.window().is_live(now)
    }

    /// Whether it has stopped working for good.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.window().has_ended(now)
    }

    /// Whether nobody is likely to miss it: it has not ended, has not been used for `silence`, nor made or come into force since, and
    /// another secret among `all` of the client has been used within that time.
    #[must_use]
    pub fn is_safe_to_retire(&self, all: &[Self], silence: Seconds, now: Timestamp) -> bool {
        let since = now - silence;
        let stirred = [Some(self.created_at), Some(self.not_before), self.last_used_at];
        let is_silent = stirred.into_iter().flatten().all(|at| at <= since);
        let in_use = |other: &Self| {
            other.secret_id != self.secret_id && other.is_live(now) && other.last_used_at.is_some_and(|at| at > since)
        };
        !self.has_ended(now) && is_silent && all.iter().any(in_use)
    }

    /// The secret, ending at `end`; retired, unless that lies ahead.
    ///
    /// # Errors
    /// When it has ended already, or would end later than it now does: retiring never lengthens a life.
    pub fn ending(self, end: Timestamp, now: Timestamp) -> Result<Self, Refusal> {
        if self.has_ended(now) {
            return Err(Refusal::State("the secret has ended already"));
        }
        if self.expires_at.is_some_and(|expiry| expiry < end) {
            return Err(Refusal::Invalid {
                field: "at",
                reason: Invalid::new("lies after the end the secret already has"),
            });
        }
        Ok(Self {
            status: if end <= now { SecretStatus::Retired } else { self.status },
            expires_at: Some(end),
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::{Environment, Pepper};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn secret() -> ClientSecret {
        ClientSecret {
            secret_id: SecretId::mint(&SystemEntropy::new()),
            client_id: ClientId::mint(Environment::Qa, "acme", &SystemEntropy::new()),
            digest: Pepper::new(&[1; 32]).digest("a"),
            note: None,
            hint: "abcd".to_owned(),
            created_by: "server".to_owned(),
            created_at: NOW,
            not_before: NOW,
            status: SecretStatus::Active,
            expires_at: None,
            last_used_at: None,
            last_used_source: None,
            version: Epoch::ZERO,
        }
    }

    #[test]
    fn a_retired_secret_is_dead_by_every_clock() {
        let retired = secret().ending(NOW, NOW).unwrap();
        for clock in [NOW - Seconds(600), NOW, NOW + Seconds(600)] {
            assert!(!retired.is_live(clock), "{clock}");
        }
        assert!(retired.ending(NOW, NOW - Seconds(600)).is_err(), "it has ended already");
    }

    #[test]
    fn a_silent_secret_is_safe_to_retire_while_another_is_in_use() {
        const SILENCE: Seconds = Seconds::from_days(14);
        let since = |days: u32| NOW + Seconds::from_days(100 - days);
        let now = since(0);
        let used = |days: Option<u32>| ClientSecret {
            last_used_at: days.map(since),
            ..secret()
        };
        let old = used(Some(14));
        let fresh = used(Some(13));
        let safe = |old: &ClientSecret, fresh: &ClientSecret| {
            old.is_safe_to_retire(&[old.clone(), fresh.clone()], SILENCE, now)
        };
        assert!(safe(&old, &fresh));
        assert!(safe(&used(None), &fresh), "one that was never used is silent too");
        assert!(!safe(&fresh, &old), "the one in use is not");
        assert!(!safe(&used(Some(13)), &fresh), "nor is either of two in use");
        assert!(
            !safe(&old, &used(Some(14))),
            "nor where all are silent: the client may be asleep"
        );
        assert!(
            !old.is_safe_to_retire(std::slice::from_ref(&old), SILENCE, now),
            "nor the only one"
        );
        let young = ClientSecret {
            created_at: since(13),
            ..used(None)
        };
        assert!(!safe(&young, &fresh), "one just made may not have reached its user");
        let coming = ClientSecret {
            not_before: now + Seconds(1),
            ..used(None)
        };
        assert!(!safe(&coming, &fresh), "one that is yet to work is wanted");
        assert!(
            !safe(&old.clone().ending(now, now).unwrap(), &fresh),
            "one that has ended is gone"
        );
        let gone = fresh.clone().ending(now, now).unwrap();
        assert!(!safe(&old, &gone), "and one that has ended is no other");
    }

    #[test]
    fn an_end_that_lies_ahead_is_waited_for() {
        let ending = secret().ending(NOW + Seconds(60), NOW).unwrap();
        assert_eq!(ending.status, SecretStatus::Active);
        assert!(ending.is_live(NOW + Seconds(59)));
        assert!(!ending.is_live(NOW + Seconds(60)));
        assert!(
            ending.ending(NOW + Seconds(61), NOW).is_err(),
            "retiring never lengthens a life"
        );
    }
}
