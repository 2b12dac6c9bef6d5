//! The `kid` (RFC 7515 §4.1.4): always the RFC 7638 thumbprint of the key it names.

use std::str::FromStr;

use super::invalid::Invalid;
use super::text::text_type;

text_type! {
    /// The SHA-256 thumbprint of a public key (RFC 7638 §3) in base64url: 43 characters.
    KeyId
}

impl FromStr for KeyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let thumbprint = text.len() == 43
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if thumbprint {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("is not a key id: 43 characters of base64url"))
        }
    }
}
