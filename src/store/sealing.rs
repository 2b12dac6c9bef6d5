//! Sealing (to be replaced).
use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::KeyId;

/// Seals.
pub struct Sealer;
/// Where.
pub struct Place;
/// Why not.
#[derive(Debug, Error)]
#[error("it cannot be opened")]
pub struct SealError;

impl Sealer {
    /// Seals.
    #[must_use]
    pub fn seal(&self, _place: &Place, plaintext: &[u8], _entropy: &dyn crate::ambient::Entropy) -> Vec<u8> {
        plaintext.to_vec()
    }
    /// Opens.
    ///
    /// # Errors
    /// Not.
    pub fn open(&self, _place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Ok(Zeroizing::new(sealed.to_vec()))
    }
    /// Where a private key is.
    #[must_use]
    pub fn private_key_place(_kid: &KeyId) -> Place {
        Place
    }
}
