//! Signing: the compact JWS (RFC 7515 §7.1), written into one buffer with a header encoded long before.

use std::fmt;

use base64::Engine as _;
use base64::encoded_len;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use thiserror::Error;

use super::compact::LONGEST_COMPACT_JWS;
use super::jwk::Jwk;
use super::key_pair::KeyPair;
use crate::domain::{Algorithm, KeyId};

/// The kind of token a JWS is, told by its `typ` header member (RFC 7515 §4.1.9, RFC 8725 §3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenType {
    /// A JWT access token (RFC 9068 §2.1).
    AccessToken,
}

impl TokenType {
    /// The `typ` value: the media type without its `application/` prefix.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
        }
    }

    /// Whether `typ` names this kind. Media types are compared without regard to case, and `application/` may be left
    /// out (RFC 7515 §4.1.9).
    #[must_use]
    pub fn is_named_by(self, typ: &str) -> bool {
        const PREFIX: &str = "application/";
        let subtype = match typ.split_at_checked(PREFIX.len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
            _ => typ,
        };
        subtype.eq_ignore_ascii_case(self.as_str())
    }
}

/// The claims make a token longer than [`LONGEST_COMPACT_JWS`], which nobody would read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the claims are too many for one token")]
pub struct TooManyClaims;

/// A key pair that signs one kind of token, with the header of that token encoded once.
pub struct SigningKey {
    key_pair: KeyPair,
    /// The base64url header and the full stop behind it.
    encoded_header: String,
}

impl SigningKey {
    /// Binds `key_pair` to the tokens of `token_type`.
    #[must_use]
    pub fn new(key_pair: KeyPair, token_type: TokenType) -> Self {
        let jwk = key_pair.jwk();
        let header = json!({ "typ": token_type.as_str(), "alg": jwk.algorithm(), "kid": jwk.key_id() });
        let encoded_header = URL_SAFE_NO_PAD.encode(header.to_string()) + ".";
        Self {
            key_pair,
            encoded_header,
        }
    }

    /// The compact JWS over `claims_json`, which is signed as it is.
    ///
    /// # Errors
    /// When it would be longer than [`LONGEST_COMPACT_JWS`]. Nothing is signed then.
    ///
    /// # Panics
    /// As [`KeyPair::sign`].
    pub fn sign_compact(&self, claims_json: &[u8]) -> Result<String, TooManyClaims> {
        let length = self.encoded_header.len()
            + base64url_length(claims_json.len())
            + 1
            + base64url_length(self.key_pair.signature_length());
        if length > LONGEST_COMPACT_JWS {
            return Err(TooManyClaims);
        }
        let mut token = String::with_capacity(length);
        token.push_str(&self.encoded_header);
        URL_SAFE_NO_PAD.encode_string(claims_json, &mut token);
        let signature = self.key_pair.sign(token.as_bytes());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The public key that verifies what this key signs.
    #[must_use]
    pub fn jwk(&self) -> &Jwk {
        self.key_pair.jwk()
    }

    /// The algorithm it signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.jwk().algorithm()
    }

    /// Its name.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        self.jwk().key_id()
    }

    /// The bare key, with which a test signs what this type would not.
    #[cfg(test)]
    pub(super) fn key_pair(&self) -> &KeyPair {
        &self.key_pair
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.key_pair).finish()
    }
}

/// How many characters `octets` take in base64url without padding.
fn base64url_length(octets: usize) -> usize {
    encoded_len(octets, false).expect("a token is far smaller than the address space")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_type_is_compared_as_a_media_type() {
        for named in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
            assert!(TokenType::AccessToken.is_named_by(named), "{named}");
        }
        for other in [
            "",
            "JWT",
            "jwt",
            "at",
            "at+jwt ",
            " at+jwt",
            "at+jwt;v=1",
            "text/at+jwt",
            "application/",
            "application/application/at+jwt",
            "applicatioñ/at+jwt",
            "dpop+jwt",
            "client-authentication+jwt",
        ] {
            assert!(!TokenType::AccessToken.is_named_by(other), "{other}");
        }
    }
}
