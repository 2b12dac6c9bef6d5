//! Access token identifiers, and what revoking one leaves behind.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::client::ClientId;
use super::client_secret::SecretId;
use super::environment::Environment;
use super::invalid::Invalid;
use super::text::{PartnerId, text_type};
use super::time::Timestamp;
use crate::ambient::Entropy;

/// Random bytes in a `jti`: 128 bits.
const RANDOM_BYTES: usize = 16;
/// The same in base64url characters.
const RANDOM_CHARACTERS: usize = 22;

text_type! {
    /// The `jti` (RFC 7519 §4.1.7): the id of the secret that obtained the token, a dot, 128 random bits in base64url.
    TokenId
}

impl TokenId {
    /// A new one for a token obtained with the secret `secret_id`.
    #[must_use]
    pub fn mint(secret_id: &SecretId, entropy: &dyn Entropy) -> Self {
        let mut random = [0; RANDOM_BYTES];
        entropy.fill(&mut random);
        let mut text = String::with_capacity(SecretId::LENGTH + 1 + RANDOM_CHARACTERS);
        text.push_str(secret_id.as_str());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(random, &mut text);
        Self(text.into())
    }

    /// The id of the secret that obtained the token.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        &self.0[..SecretId::LENGTH]
    }
}

impl FromStr for TokenId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let ours = text.split_once('.').is_some_and(|(secret_id, random)| {
            secret_id.parse::<SecretId>().is_ok()
                && random.len() == RANDOM_CHARACTERS
                && random
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        });
        if ours {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not the id of a token of this server"))
        }
    }
}

/// A token its client revoked before its time (RFC 7009). Forgotten once it has expired by every clock.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct RevokedToken {
    /// Which.
    pub jti: TokenId,
    /// Whose.
    pub client_id: ClientId,
    /// The partner behind the client.
    pub partner_id: PartnerId,
    /// Where.
    pub environment: Environment,
    /// Its `exp`.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    #[test]
    fn a_token_id_names_the_secret_that_obtained_it() {
        let secret_id = SecretId::mint(&SystemEntropy::new());
        let jti = TokenId::mint(&secret_id, &SystemEntropy::new());
        assert_eq!(jti.secret_id(), secret_id.as_str());
        assert_eq!(jti.as_str().parse::<TokenId>(), Ok(jti.clone()));
        assert_ne!(TokenId::mint(&secret_id, &SystemEntropy::new()), jti);
    }

    #[test]
    fn other_texts_are_no_token_ids() {
        for bad in [
            "",
            ".",
            "0123456789abcdef",
            "0123456789abcdef.",
            "0123456789abcdef.short",
            "é123456789abcde.AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(bad.parse::<TokenId>().is_err(), "{bad}");
        }
    }
}
