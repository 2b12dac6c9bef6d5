//! Signatures: keys, the JSON that describes them, and the compact JWS. Nothing here has heard of an OAuth client.
//!
//! Two paths run through this room, and they share no code on purpose.
//!
//! **Out.** A private key enters as PKCS#8 ([`Pkcs8`]), is parsed once into a [`KeyPair`], and is bound once to the
//! kind of token it signs ([`SigningKey`]). From then on a token costs one buffer and one signature: the header was
//! encoded when the key was, and no key is ever parsed again.
//!
//! **In.** A text becomes a [`CompactJws`] only if it is a JWS in the one form we speak (RFC 7515 §7.1): three parts of
//! strict base64url, a header without repeated or unknown-to-be-critical members, an algorithm from a closed list, the
//! expected `typ`, a `kid`. [`verify()`] then takes the [`VerifyingKey`] of that `kid` and gives back the only thing
//! whose claims can be read, a [`VerifiedPayload`]. An unverified claim has no accessor.
//!
//! A key is bound to one algorithm from the moment it exists (RFC 8725 §3.1), so the header of a token never chooses how
//! it is verified: it may only agree. Signing is ours, verification is `jsonwebtoken`'s; each is the other's second
//! opinion.
//!
//! Whether a token is of this hour and for this audience is not asked here: that is the authority's to say.

mod compact;
mod fingerprint;
mod json;
mod jwk;
mod jws;
mod key_pair;
mod numeric_date;
mod object;
mod pkcs8;
mod public_key;
mod verify;

#[cfg(test)]
mod tests;

pub use compact::{CompactJws, JwsError, LONGEST_COMPACT_JWS};
pub use fingerprint::{Fingerprint, Fingerprints};
pub use json::JsonFault;
pub use jwk::{Jwk, JwkError, JwkSet};
pub use jws::{SigningKey, TokenType, TooManyClaims};
pub use key_pair::{KeyPair, Signature, gather_randomness};
pub use numeric_date::NumericDate;
pub use object::JsonObject;
pub use pkcs8::Pkcs8;
pub use public_key::{KeyError, PublicKey};
pub use verify::{VerifiedPayload, VerifyingKey, verify};
