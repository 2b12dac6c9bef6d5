//! Secrets: minted by us, shown once, kept only as keyed digests. Also the one door of this floor to digests, keyed and plain.
//!
//! A secret is `prefix ‖ 43 characters of base64url (256 random bits) ‖ 6 characters of checksum`, so that a scanner, and we
//! ourselves, tell a typo or the wrong environment before any look-up. The checksum is the first six base64url characters
//! of SHA-256 over all that stands before it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::environment::Environment;
use crate::ambient::Entropy;

/// The random part, in bytes: 256 bits, twice what RFC 6749 §10.10 asks for.
const RANDOM_BYTES: usize = 32;
/// The random part, in characters.
const RANDOM_CHARACTERS: usize = 43;
/// The checksum, in characters.
const CHECKSUM_CHARACTERS: usize = 6;
/// The longest text that can be a secret, in bytes. Longer ones are refused unread.
const LONGEST_SECRET: usize = 64;

/// What a secret opens; its prefix tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// A client's secret in one environment: `mms_qa_…`, `mms_live_…`.
    Client(Environment),
    /// An operator's token for the admin API: `mmo_…`.
    Operator,
    /// What a browser keeps of an operator's session: `mmb_…`.
    Session,
    /// What the link holds by which the first owner is made: `mmu_…`.
    SetUp,
}

impl SecretKind {
    const ALL: [Self; 5] = [
        Self::Client(Environment::Qa),
        Self::Client(Environment::Production),
        Self::Operator,
        Self::Session,
        Self::SetUp,
    ];

    const fn prefix(self) -> &'static str {
        match self {
            Self::Client(Environment::Qa) => "mms_qa_",
            Self::Client(Environment::Production) => "mms_live_",
            Self::Operator => "mmo_",
            Self::Session => "mmb_",
            Self::SetUp => "mmu_",
        }
    }

    /// The kind of a secret of ours, whole and undamaged. `None` says only that it is not.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        if text.len() > LONGEST_SECRET {
            return None;
        }
        let kind = Self::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let body = text.len().checked_sub(CHECKSUM_CHARACTERS)?;
        let (before, found) = (text.get(..body)?, text.get(body..)?);
        let whole =
            before.len() == kind.prefix().len() + RANDOM_CHARACTERS && checksum(before).as_slice() == found.as_bytes();
        whole.then_some(kind)
    }
}

/// A secret in clear, ours by form. It is wiped on drop and has neither `Display` nor `PartialEq`.
pub struct Secret {
    text: Zeroizing<String>,
    kind: SecretKind,
}

impl Secret {
    /// Makes a new one from 256 random bits.
    #[must_use]
    pub fn mint(kind: SecretKind, entropy: &dyn Entropy) -> Self {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        entropy.fill(&mut *random);
        let mut text = Zeroizing::new(String::with_capacity(LONGEST_SECRET));
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(*random, &mut text);
        let checksum = checksum(&text);
        text.extend(checksum.map(char::from));
        Self { text, kind }
    }

    /// Recognises one of ours, whole and undamaged, of whatever kind. `None` says only that it is not.
    #[must_use]
    pub fn recognise(text: &str) -> Option<Self> {
        SecretKind::of(text).map(|kind| Self {
            text: Zeroizing::new(text.to_owned()),
            kind,
        })
    }

    /// What it opens.
    #[must_use]
    pub const fn kind(&self) -> SecretKind {
        self.kind
    }

    /// The text itself, for the one answer that shows it and for the digest.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The last four characters, by which people tell secrets apart. They are checksum, so they give nothing away.
    #[must_use]
    pub fn hint(&self) -> String {
        self.text[self.text.len() - 4..].to_owned()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Base64url writes three bytes as four characters: the first six bytes of the digest hold the checksum, and two characters more.
fn checksum(before: &str) -> [u8; CHECKSUM_CHARACTERS] {
    let mut characters = [0; 8];
    URL_SAFE_NO_PAD
        .encode_slice(&sha256(&[before.as_bytes()])[..6], &mut characters)
        .expect("six bytes are eight characters");
    let mut checksum = [0; CHECKSUM_CHARACTERS];
    checksum.copy_from_slice(&characters[..CHECKSUM_CHARACTERS]);
    checksum
}

/// SHA-256 over the concatenation of `parts`.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

/// HMAC-SHA-256 (RFC 2104) under `key` over the concatenation of `parts`.
#[must_use]
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.sign().as_ref());
    bytes
}

/// The key of all digests at rest. Without it a stolen database tells nothing, not even whether a guess is right.
pub struct Pepper(hmac::Key);

impl Pepper {
    /// From 32 bytes of key material.
    #[must_use]
    pub fn new(material: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, material))
    }

    /// HMAC-SHA-256 of the text.
    #[must_use]
    pub fn digest(&self, text: &str) -> SecretDigest {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hmac::sign(&self.0, text.as_bytes()).as_ref());
        SecretDigest(bytes)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// HMAC-SHA-256 of a secret under the pepper: what is kept of it. Compared in constant time only.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// As read from the store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For the store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are digests of the same secret; takes the same time either way.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    const KINDS: [SecretKind; 5] = SecretKind::ALL;

    #[test]
    fn what_is_minted_is_recognised_as_its_kind() {
        for kind in KINDS {
            let secret = Secret::mint(kind, &SystemEntropy::new());
            assert_eq!(Secret::recognise(secret.expose()).unwrap().kind(), kind);
            assert_eq!(secret.expose().len(), kind.prefix().len() + 49);
            assert!(
                secret
                    .expose()
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            );
        }
    }

    #[test]
    fn every_byte_flipped_cut_or_added_is_noticed() {
        let secret = Secret::mint(SecretKind::Client(Environment::Qa), &SystemEntropy::new());
        let text = secret.expose();
        for position in 0..text.len() {
            for replacement in ["A", "b", "_", "%"] {
                let mut changed = text.to_owned();
                changed.replace_range(position..=position, replacement);
                assert_eq!(
                    Secret::recognise(&changed).is_some(),
                    changed == text,
                    "{position} {replacement}"
                );
            }
            assert!(Secret::recognise(&text[..position]).is_none());
            assert!(Secret::recognise(&text[position + 1..]).is_none());
        }
        assert!(Secret::recognise(&format!("{text}A")).is_none());
        assert!(Secret::recognise(&"é".repeat(28)).is_none());
        assert!(Secret::recognise(&"mms_qa_".repeat(1000)).is_none());
    }

    #[test]
    fn a_qa_secret_relabelled_for_production_is_damaged() {
        let qa = Secret::mint(SecretKind::Client(Environment::Qa), &SystemEntropy::new());
        assert!(Secret::recognise(&qa.expose().replace("mms_qa_", "mms_live_")).is_none());
    }

    #[test]
    fn secrets_and_digests_print_as_redacted() {
        let secret = Secret::mint(SecretKind::Operator, &SystemEntropy::new());
        let pepper = Pepper::new(&[7; 32]);
        assert_eq!(
            format!("{secret:?} {pepper:?} {:?}", pepper.digest(secret.expose())),
            "[redacted] [redacted] [redacted]"
        );
    }

    #[test]
    fn the_digest_is_hmac_sha_256() {
        // RFC 4231 §4.4 (test case 3): a 20-byte key; HMAC pads it with zeroes, so 32 bytes with a zero tail are the same key.
        let mut key = [0; 32];
        key[..20].fill(0xaa);
        let digest = Pepper::new(&key).0;
        let tag = hmac::sign(&digest, &[0xdd; 50]);
        assert_eq!(tag.as_ref()[..8], [0x77, 0x3e, 0xa9, 0x1e, 0x36, 0x80, 0x0e, 0x46]);
        assert_eq!(tag.as_ref()[24..], [0xd9, 0x63, 0x55, 0x14, 0xce, 0xd5, 0x65, 0xfe]);
    }

    #[test]
    fn digests_match_only_for_the_same_secret_and_pepper() {
        let (one, other) = (Pepper::new(&[1; 32]), Pepper::new(&[2; 32]));
        assert!(one.digest("a").matches(&one.digest("a")));
        assert!(!one.digest("a").matches(&one.digest("b")));
        assert!(!one.digest("a").matches(&other.digest("a")));
    }
}
