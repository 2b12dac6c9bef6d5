//! A private key on its way between generation, import, the sealed row and the key pair: wiped when dropped, never shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::key_pair::KeyPair;
use super::public_key::KeyError;
use crate::domain::Algorithm;

/// An unencrypted PKCS#8 private key in DER (RFC 5958). It is not compared, not printed, and wiped from memory on drop.
pub struct Pkcs8(Zeroizing<Vec<u8>>);

impl Pkcs8 {
    pub(super) fn from_der(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }

    /// Reads one PEM block labelled `PRIVATE KEY` (RFC 7468 §10) and checks that `algorithm` can sign with it.
    ///
    /// The block is decoded here rather than by a general PEM reader, since those leave copies of the key in memory.
    ///
    /// # Errors
    /// [`KeyError::NotPem`] for any other text, among them PKCS#1, SEC 1 and encrypted keys; otherwise as
    /// [`KeyPair::from_pkcs8`].
    pub fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, KeyError> {
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PRIVATE KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
            .ok_or(KeyError::NotPem)?;
        let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
        base64.extend(body.split_ascii_whitespace());
        let der = Zeroizing::new(STANDARD.decode(base64.as_bytes()).map_err(|_| KeyError::NotPem)?);
        KeyPair::from_pkcs8(algorithm, &der)?;
        Ok(Self(der))
    }

    /// The DER octets, for sealing and for [`KeyPair::from_pkcs8`].
    #[must_use]
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Pkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pkcs8(…)")
    }
}
