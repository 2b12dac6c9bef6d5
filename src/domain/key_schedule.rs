//! When a signing key is announced, signs, retires: a pure function of the keys, the time and the policy.
//!
//! Two invariants hold for every schedule it gives (RFC 9111 caches of the JWKS are why):
//! a key stands in the JWKS for at least one `max-age` before it signs, so that no verifier meets a `kid` it cannot have;
//! and it stays there until its last token's `exp`, the skew verifiers allow, and one `max-age` have passed.
//! The first key of an environment signs at once: no JWKS was ever served without it. So does the successor of a revoked
//! key, announced or not: an emergency outranks a cache.

use super::algorithm::Algorithm;
use super::client::TokenLifetime;
use super::key_id::KeyId;
use super::signing_key::{KeyState, SigningKeyRecord};
use super::time::{Seconds, Timestamp};

/// How far verifiers' clocks are taken to be off.
const SKEW: Seconds = Seconds(60);

/// What a rotation goes by.
#[derive(Clone, Copy, Debug)]
pub struct KeyPolicy {
    /// What new keys sign with.
    pub algorithm: Algorithm,
    /// How long a key signs.
    pub rotate_every: Seconds,
    /// The `max-age` of the JWKS.
    pub jwks_max_age: Seconds,
}

/// The next thing to do with the keys of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// Make a key and let it sign at once: there is none.
    Begin,
    /// Let this announced key sign: none does.
    Activate(KeyId),
    /// Let the announced key follow the active one.
    Rotate {
        /// The active one.
        from: KeyId,
        /// The announced one.
        to: KeyId,
    },
    /// Make a key and announce it as the successor.
    Announce,
    /// Take this key out of the JWKS: nothing it signed is alive any more, or it never signed and never will.
    Retire(KeyId),
}

impl KeyPolicy {
    /// From when an announced key may sign.
    #[must_use]
    pub fn may_sign_from(&self, announced: &SigningKeyRecord) -> Timestamp {
        announced.announced_at + self.jwks_max_age
    }

    /// How long a key stays in the JWKS after it last signed.
    fn lingering(&self) -> Seconds {
        TokenLifetime::LONGEST.seconds() + SKEW + self.jwks_max_age
    }
}

/// The next step due at `now` for the keys of one environment, or `None` when all is as it should be. Steps are taken one at
/// a time, each followed by another question, so that each is a mutation of its own.
#[must_use]
pub fn next_key_step(keys: &[SigningKeyRecord], policy: &KeyPolicy, now: Timestamp) -> Option<KeyStep> {
    let in_state = |state| keys.iter().find(move |key| key.state == state);
    let Some(active) = in_state(KeyState::Active) else {
        return Some(in_state(KeyState::Announced).map_or(KeyStep::Begin, |key| KeyStep::Activate(key.kid.clone())));
    };
    let Some(announced) = in_state(KeyState::Announced) else {
        return Some(KeyStep::Announce);
    };
    if announced.algorithm != policy.algorithm {
        return Some(KeyStep::Retire(announced.kid.clone()));
    }
    let worn = active
        .active_since
        .is_some_and(|since| since + policy.rotate_every <= now);
    if (worn || active.algorithm != policy.algorithm) && policy.may_sign_from(announced) <= now {
        return Some(KeyStep::Rotate {
            from: active.kid.clone(),
            to: announced.kid.clone(),
        });
    }
    keys.iter()
        .find(|key| {
            key.state == KeyState::Retiring
                && key
                    .retiring_since
                    .is_some_and(|since| since + policy.lingering() <= now)
        })
        .map(|key| KeyStep::Retire(key.kid.clone()))
}
