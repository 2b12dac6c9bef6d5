//! Idempotency keys: a creation repeated under the same key creates nothing twice.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::invalid::Invalid;
use super::operator::OperatorId;
use super::text::text_type;
use super::time::{Seconds, Timestamp};
use crate::ambient::Entropy;

text_type! {
    /// A caller's name for one creation: 8 to 64 visible ASCII characters.
    IdempotencyKey
}

impl IdempotencyKey {
    /// A new one of 128 random bits.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }
}

impl FromStr for IdempotencyKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("must have 8 to 64 visible ASCII characters"))
        }
    }
}

/// What was created under an idempotency key, kept in the same transaction as the creation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose key it is: keys of different operators never meet.
    pub operator_id: OperatorId,
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 over route and body, so that the same key with another request is noticed.
    pub fingerprint: [u8; 32],
    /// By what whoever created it finds it again: its id, or its ids.
    pub subject: String,
    /// When.
    pub created_at: Timestamp,
}

impl IdempotencyRecord {
    /// How long a key is remembered.
    pub const REMEMBERED_FOR: Seconds = Seconds::from_days(1);
}
