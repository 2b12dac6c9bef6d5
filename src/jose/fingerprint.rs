//! Fingerprints: by which a text that was seen before is known again, for a tenth of what a digest anybody can compute costs.
//!
//! They are GMAC tags (NIST SP 800-38D §3) under a key that is drawn when the process starts and a nonce that is always the same. A MAC
//! must not be made so, since two tags under one nonce betray the key; but no fingerprint ever leaves the process. Without the key,
//! whatever two texts somebody chooses have the same fingerprint with a chance of less than their length in octets over 2^128.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::ambient::Entropy;

/// What a text is known by. It can be looked up, and neither printed nor written down.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 16]);

/// Takes fingerprints that can be compared with each other and with no others.
pub struct Fingerprints(LessSafeKey);

impl Fingerprints {
    /// Under a key of its own.
    ///
    /// # Panics
    /// Never: the key is as long as the algorithm wants it.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        let mut key = [0; 16];
        entropy.fill(&mut key);
        let key = UnboundKey::new(&AES_128_GCM, &key).expect("the key is as long as the algorithm wants it");
        Self(LessSafeKey::new(key))
    }

    /// That of `text`.
    ///
    /// # Panics
    /// Never: no text that fits into memory is too long for the algorithm.
    #[must_use]
    pub fn of(&self, text: &[u8]) -> Fingerprint {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(text), &mut []);
        let tag = tag.expect("there is nothing to seal, so it is not too long");
        Fingerprint(tag.as_ref().try_into().expect("a tag of GCM has sixteen octets"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;

    /// The key of test case 1 of the GCM specification (appendix B): all zero.
    struct Zero;

    impl Entropy for Zero {
        fn fill(&self, _: &mut [u8]) {}
    }

    #[test]
    fn it_is_the_tag_of_gcm() {
        // Test case 1: key, nonce, text and additional data of zeros and nothing.
        let expected = 0x58e2_fcce_fa7e_3061_367f_1d57_a4e7_455a_u128;
        assert_eq!(Fingerprints::mint(&Zero).of(b"").0, expected.to_be_bytes());
    }

    #[test]
    fn another_text_has_another_and_so_has_the_same_under_another_key() {
        let (one, other) = (
            Fingerprints::mint(&SystemEntropy::new()),
            Fingerprints::mint(&SystemEntropy::new()),
        );
        let text = [b'a'; 700];
        assert!(one.of(&text) == one.of(&text));
        assert!(one.of(&text) != other.of(&text));
        for at in 0..text.len() {
            let mut changed = text;
            changed[at] = b'b';
            assert!(one.of(&text) != one.of(&changed), "at {at}");
        }
        assert!(one.of(&text) != one.of(&text[1..]));
    }
}
