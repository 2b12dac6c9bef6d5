//! Verification: the one door from a text to claims that may be believed. The signature is checked by `jsonwebtoken`.

use std::fmt;

use jsonwebtoken::DecodingKey;
use serde::de::DeserializeOwned;

use super::compact::{CompactJws, JwsError};
use super::json::require_object_of_unique_members;
use super::jwk::Jwk;
use super::public_key::Material;
use crate::domain::{Algorithm, KeyId};

/// A public key ready to verify, bound to one algorithm and one name (RFC 8725 §3.1).
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    key_id: KeyId,
    decoding_key: DecodingKey,
}

impl VerifyingKey {
    /// The algorithm it verifies.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Its name.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// Whether `signature`, in base64url, is this key's over `signing_input`. A verifier that fails says no.
    pub(super) fn confirms(&self, signing_input: &str, signature: &str) -> bool {
        let algorithm = match self.algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        };
        jsonwebtoken::crypto::verify(signature, signing_input.as_bytes(), &self.decoding_key, algorithm)
            .unwrap_or(false)
    }
}

impl From<&Jwk> for VerifyingKey {
    fn from(jwk: &Jwk) -> Self {
        // The library says "der" where its backend wants the bare octets that a JWK encodes.
        let decoding_key = match jwk.public_key().material() {
            Material::P256(point) => DecodingKey::from_ec_der(point),
            Material::Ed25519(octets) => DecodingKey::from_ed_der(octets),
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        };
        Self {
            algorithm: jwk.algorithm(),
            key_id: jwk.key_id().clone(),
            decoding_key,
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The claims set of a token whose signature has been verified (RFC 7519 §7.2). Only [`verify()`] makes one.
pub struct VerifiedPayload(Vec<u8>);

impl VerifiedPayload {
    /// The claims as `T`. Declare times as [`NumericDate`](super::NumericDate), never as an `Option` of it, in which a
    /// `null` would pass for an absent claim.
    ///
    /// # Errors
    /// [`JwsError::Claims`] when a claim that `T` demands is absent or of another type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        serde_json::from_slice(&self.0).map_err(|_| JwsError::Claims)
    }

    /// The claims set as it was signed.
    #[must_use]
    pub fn as_json(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for VerifiedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifiedPayload(…)")
    }
}

/// Verifies `compact` with `key` (RFC 7515 §5.2). Neither time nor audience is looked at.
///
/// # Errors
/// [`JwsError::WrongKey`] when the header's `kid` or `alg` is not the key's, [`JwsError::WrongSignature`], or
/// [`JwsError::Payload`] when what was signed is not an object of unique members.
pub fn verify(compact: CompactJws<'_>, key: &VerifyingKey) -> Result<VerifiedPayload, JwsError> {
    if compact.key_id() != &key.key_id || compact.algorithm() != key.algorithm {
        return Err(JwsError::WrongKey);
    }
    if !key.confirms(compact.signing_input(), compact.signature()) {
        return Err(JwsError::WrongSignature);
    }
    let payload = compact.into_payload();
    require_object_of_unique_members(&payload).map_err(JwsError::Payload)?;
    Ok(VerifiedPayload(payload))
}
