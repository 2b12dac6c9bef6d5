//! Random identifiers, and ones that begin with a number, in an alphabet that survives being read aloud, typed and passed to a shell.

use crate::ambient::Entropy;

/// Crockford's base 32 in lower case: no `i`, `l`, `o`, `u`, and nothing that a command line takes for an option.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A text of `length` characters, each worth five random bits.
pub(super) fn base32(entropy: &dyn Entropy, length: usize) -> String {
    let mut bytes = vec![0; length];
    entropy.fill(&mut bytes);
    bytes
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte & 31)]))
        .collect()
}

/// So many characters, each worth five random bits.
pub(super) fn base32_characters<const LENGTH: usize>(entropy: &dyn Entropy) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    entropy.fill(&mut bytes);
    bytes.map(|byte| ALPHABET[usize::from(byte & 31)])
}

/// The lowest bits of `number` in `length` characters, five bits each, so that texts sort as their numbers do.
pub(super) fn base32_of(number: u64, length: usize) -> String {
    let digits = (0..length).scan(number, |rest, _| {
        let digit = usize::from(rest.to_le_bytes()[0] & 31);
        *rest >>= 5;
        Some(char::from(ALPHABET[digit]))
    });
    let backwards: Vec<char> = digits.collect();
    backwards.into_iter().rev().collect()
}

/// Whether `text` has `length` characters, all of the alphabet.
pub(super) fn is_base32(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| ALPHABET.contains(&byte))
}
