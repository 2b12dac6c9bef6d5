//! The id of one request: it stands in the answer's `X-Request-Id`, in every log line and, for mutations, in the journal.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::invalid::Invalid;
use super::text::text_type;
use crate::ambient::Entropy;

text_type! {
    /// 8 to 64 characters of `[A-Za-z0-9._-]`, so that it can be logged, searched and sent on as it is.
    RequestId
}

impl RequestId {
    /// What the caller sent, when it is fit to be repeated; else a new one of 128 random bits.
    #[must_use]
    pub fn given_or_minted(given: Option<&str>, entropy: &dyn Entropy) -> Self {
        given
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| Self::mint(entropy))
    }

    /// A new id of 128 random bits in base64url: 22 characters.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }
}

impl FromStr for RequestId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let sane = (8..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if sane {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(
                "must have 8 to 64 characters, each a letter, a digit or one of . _ -",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills with one byte, so that the expected text is known by arithmetic.
    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_sane_id_is_taken_from_the_caller() {
        for good in [
            "12345678",
            "3f2a.B_c-9",
            "0af7651916cd43dd8448eb211c80319c",
            &"x".repeat(64),
        ] {
            assert_eq!(RequestId::given_or_minted(Some(good), &Constant(0)).as_str(), good);
        }
    }

    #[test]
    fn anything_else_is_replaced() {
        // 128 zero bits are 22 digits "A" in base64url (RFC 4648 §5).
        let minted = "A".repeat(22);
        for bad in [
            "",
            "1234567",
            "with space",
            "line\nbreak",
            "quote\"quote",
            "umläut-id",
            "id\u{202e}abcdefg",
            &"x".repeat(65),
        ] {
            assert_eq!(
                RequestId::given_or_minted(Some(bad), &Constant(0)).as_str(),
                minted,
                "{bad:?}"
            );
        }
        assert_eq!(RequestId::given_or_minted(None, &Constant(0)).as_str(), minted);
    }

    #[test]
    fn a_minted_id_is_itself_sane() {
        let minted = RequestId::mint(&Constant(0xff));
        assert_eq!(minted.as_str().parse(), Ok(minted));
    }
}
