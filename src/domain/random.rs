//! Random identifiers, in an alphabet that survives being read aloud, typed and passed to a shell.

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

/// Whether `text` has `length` characters, all of the alphabet.
pub(super) fn is_base32(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| ALPHABET.contains(&byte))
}
