//! Reading a compact JWS (RFC 7515 §3.1, §7.1): everything that can be refused before a key is touched, is.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::json::{JsonFault, require_object_of_unique_members};
use super::jws::TokenType;
use crate::domain::{Algorithm, KeyId};

/// The longest compact JWS we sign and read, in bytes. Ordinary ones are shorter than 2 kB; a longer text would not pass most proxies.
pub const LONGEST_COMPACT_JWS: usize = 8192;

/// Header members whose presence alone refuses a JWS. A key is never taken from the token that it would verify
/// (RFC 8725 §3.10), and no extension is understood (RFC 7515 §4.1.11, RFC 7797 §6).
const REFUSED_MEMBERS: [&str; 6] = ["jwk", "jku", "x5u", "x5c", "crit", "b64"];

/// Why a JWS was refused. For logs and tests: a caller learns only that a token is not active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwsError {
    /// Longer than [`LONGEST_COMPACT_JWS`].
    #[error("the token is longer than 8192 bytes")]
    TooLong,
    /// Not three parts, each with something in it.
    #[error("the token does not have three parts")]
    NotThreeParts,
    /// A part is not unpadded base64url in its one canonical spelling.
    #[error("a part of the token is not base64url")]
    NotBase64Url,
    /// The header is not an object of unique members.
    #[error("the token's header {0}")]
    Header(JsonFault),
    /// A header member that we never follow.
    #[error("the token's header holds \"{0}\"")]
    RefusedMember(&'static str),
    /// `alg` is absent or not on the list.
    #[error("the token's algorithm is not one of ours")]
    UnknownAlgorithm,
    /// `typ` is absent or names another kind of token.
    #[error("the token is of another type")]
    WrongType,
    /// `kid` is absent or not a thumbprint.
    #[error("the token names no key of ours")]
    NoKeyId,
    /// The key at hand is not the one the header names, or has another algorithm.
    #[error("the token was not made with this key")]
    WrongKey,
    /// The signature does not verify.
    #[error("the token's signature is wrong")]
    WrongSignature,
    /// The payload is not an object of unique members.
    #[error("the token's claims set {0}")]
    Payload(JsonFault),
    /// A claim is absent or of the wrong type.
    #[error("a claim is absent or of the wrong type")]
    Claims,
}

/// A well-formed compact JWS of the expected type, not yet verified: its payload cannot be read.
pub struct CompactJws<'a> {
    algorithm: Algorithm,
    key_id: KeyId,
    signing_input: &'a str,
    signature: &'a str,
    payload: Vec<u8>,
}

impl<'a> CompactJws<'a> {
    /// Reads `text`, which must be a token of the `expected` type.
    ///
    /// # Errors
    /// Any [`JwsError`] from `TooLong` to `NoKeyId`.
    pub fn parse(text: &'a str, expected: TokenType) -> Result<Self, JwsError> {
        if text.len() > LONGEST_COMPACT_JWS {
            return Err(JwsError::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(JwsError::NotThreeParts)?;
        let (header, payload) = signing_input.split_once('.').ok_or(JwsError::NotThreeParts)?;
        if [header, payload, signature].contains(&"") || payload.contains('.') {
            return Err(JwsError::NotThreeParts);
        }
        // All three are decoded before the first is interpreted (RFC 7515 §5.2).
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::NotBase64Url);
        let (header, payload, _) = (decode(header)?, decode(payload)?, decode(signature)?);
        let (algorithm, key_id) = read_header(&header, expected)?;
        Ok(Self {
            algorithm,
            key_id,
            signing_input,
            signature,
            payload,
        })
    }

    /// The `alg` header member. It selects nothing: it must equal the key's own.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` header member, by which the caller finds the key.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The JWS Signing Input (RFC 7515 §2).
    pub(super) fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The signature in base64url.
    pub(super) fn signature(&self) -> &'a str {
        self.signature
    }

    /// The decoded payload, for the verifier only.
    pub(super) fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

impl fmt::Debug for CompactJws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompactJws")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The two members that matter, once every other reason to refuse has been looked for (RFC 7515 §4.1).
fn read_header(json: &[u8], expected: TokenType) -> Result<(Algorithm, KeyId), JwsError> {
    require_object_of_unique_members(json).map_err(JwsError::Header)?;
    let header: Map<String, Value> =
        serde_json::from_slice(json).map_err(|_| JwsError::Header(JsonFault::Malformed))?;
    if let Some(refused) = REFUSED_MEMBERS.iter().find(|member| header.contains_key(**member)) {
        return Err(JwsError::RefusedMember(refused));
    }
    let text = |member: &str| header.get(member).and_then(Value::as_str);
    let algorithm = text("alg")
        .and_then(|alg| alg.parse().ok())
        .ok_or(JwsError::UnknownAlgorithm)?;
    if !text("typ").is_some_and(|typ| expected.is_named_by(typ)) {
        return Err(JwsError::WrongType);
    }
    let key_id = text("kid").and_then(|kid| kid.parse().ok()).ok_or(JwsError::NoKeyId)?;
    Ok((algorithm, key_id))
}
