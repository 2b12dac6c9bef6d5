//! Key identifiers: the thumbprint of a public key, so that a name can never belong to two keys.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::invalid::Invalid;
use super::text::text_type;

/// The length of a SHA-256 value in base64url without padding, in characters.
const THUMBPRINT_CHARACTERS: usize = 43;

text_type! {
    /// The `kid` of a key (RFC 7517 §4.5): the base64url text of its RFC 7638 SHA-256 thumbprint, 43 characters.
    KeyId
}

impl KeyId {
    /// The name of the key whose RFC 7638 §3 thumbprint is `sha256`.
    #[must_use]
    pub fn from_thumbprint(sha256: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(sha256).into())
    }
}

impl FromStr for KeyId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == THUMBPRINT_CHARACTERS && URL_SAFE_NO_PAD.decode(text).is_ok() {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not a key thumbprint: 43 characters of base64url"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638 §3.1.
    const THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    /// The same value as octets, as RFC 7638 §3.1 lists them.
    const OCTETS: [u8; 32] = [
        55, 54, 203, 177, 120, 124, 184, 48, 156, 119, 238, 140, 55, 5, 197, 225, 111, 251, 158, 133, 151, 21, 144, 31,
        30, 76, 89, 177, 17, 130, 245, 123,
    ];

    #[test]
    fn octets_and_text_are_one() {
        assert_eq!(KeyId::from_thumbprint(OCTETS).as_str(), THUMBPRINT);
        assert_eq!(THUMBPRINT.parse(), Ok(KeyId::from_thumbprint(OCTETS)));
    }

    #[test]
    fn what_is_no_thumbprint_is_refused() {
        // The last character carries four bits: "t" differs from "s" only in the two that must be zero.
        let unclean_tail = format!("{}t", &THUMBPRINT[..42]);
        for bad in [
            "",
            "1",
            "2011-04-29",
            "../../etc/passwd",
            "' OR 1=1 --",
            &THUMBPRINT[..42],
            &format!("{THUMBPRINT}="),
            &THUMBPRINT.replace('-', "+"),
            &unclean_tail,
            &"A".repeat(1 << 20),
        ] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad:.60}");
        }
    }
}
