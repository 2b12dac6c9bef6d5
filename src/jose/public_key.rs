//! The public half of a key: the numbers alone, checked once, and the thumbprint that names them.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use thiserror::Error;

use crate::domain::{Algorithm, KeyId};

/// The shortest RSA modulus (RFC 7518 §3.3), in bits.
const SHORTEST_RSA: usize = 2048;

/// The longest RSA modulus, in bits: signing with a longer one costs tens of milliseconds for each token.
pub(super) const LONGEST_RSA: usize = 4096;

/// Why a key was refused. Nothing of the key is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A sound key, but not one this algorithm signs with: another type or another curve.
    #[error("the key is not of the type that {0} needs")]
    WrongKind(Algorithm),
    /// An RSA modulus outside 2048 to 4096 bits (RFC 7518 §3.3).
    #[error("an RSA key must have 2048 to 4096 bits")]
    RsaLength,
    /// Not a key at all, or one whose parts contradict each other.
    #[error("the key is malformed or inconsistent")]
    Malformed,
    /// Not one PEM block labelled `PRIVATE KEY` (RFC 7468 §10).
    #[error("the text is not a single unencrypted PKCS#8 block, \"-----BEGIN PRIVATE KEY-----\"")]
    NotPem,
    /// The cryptographic library could not make a key.
    #[error("no key could be generated")]
    Generation,
}

/// A public key of one of the three types that our algorithms use (RFC 7518 §6, RFC 8037 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(Material);

/// The numbers, as the octets that a JWK encodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// An uncompressed point of P-256: `04 ‖ x ‖ y` (SEC 1 §2.3.3).
    P256([u8; 65]),
    /// An Ed25519 public key (RFC 8032 §5.1.5).
    Ed25519([u8; 32]),
    /// An RSA modulus and exponent, big-endian without leading zeros (RFC 7518 §6.3.1).
    Rsa {
        /// The modulus.
        n: Box<[u8]>,
        /// The public exponent.
        e: Box<[u8]>,
    },
}

impl PublicKey {
    /// A P-256 key from `04 ‖ x ‖ y`.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] unless the octets are a point on the curve.
    pub fn p256(point: &[u8]) -> Result<Self, KeyError> {
        let point: [u8; 65] = point.try_into().map_err(|_| KeyError::Malformed)?;
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| KeyError::Malformed)?;
        Ok(Self(Material::P256(point)))
    }

    /// An Ed25519 key from its 32 octets.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for any other length.
    pub fn ed25519(octets: &[u8]) -> Result<Self, KeyError> {
        let octets = octets.try_into().map_err(|_| KeyError::Malformed)?;
        Ok(Self(Material::Ed25519(octets)))
    }

    /// An RSA key from modulus `n` and exponent `e`, both big-endian.
    ///
    /// # Errors
    /// [`KeyError::RsaLength`] for a modulus outside 2048 to 4096 bits. [`KeyError::Malformed`] for leading zeros, which
    /// would give one key two thumbprints, for an even number, and for an exponent of 1 or beyond 32 bits.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
        let leading_zero = |number: &[u8]| number.first() == Some(&0);
        if leading_zero(n) || leading_zero(e) || !odd(n) || !odd(e) || e == [1] || e.len() > 4 {
            return Err(KeyError::Malformed);
        }
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if (SHORTEST_RSA..=LONGEST_RSA).contains(&bits) {
            Ok(Self(Material::Rsa {
                n: n.into(),
                e: e.into(),
            }))
        } else {
            Err(KeyError::RsaLength)
        }
    }

    /// The SHA-256 thumbprint over the required members in lexicographic order (RFC 7638 §3, RFC 8037 §2).
    #[must_use]
    pub fn thumbprint(&self) -> KeyId {
        let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let canonical = match &self.0 {
            Material::P256(point) => {
                let (x, y) = coordinates(point);
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
            }
            Material::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x)),
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n)),
        };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, canonical.as_bytes()).as_ref());
        KeyId::from_thumbprint(sha256)
    }

    /// Whether `algorithm` verifies with a key of this type.
    pub(super) fn serves(&self, algorithm: Algorithm) -> bool {
        matches!(
            (&self.0, algorithm),
            (Material::P256(_), Algorithm::Es256)
                | (Material::Ed25519(_), Algorithm::EdDsa)
                | (Material::Rsa { .. }, Algorithm::Rs256 | Algorithm::Ps256)
        )
    }

    pub(super) fn material(&self) -> &Material {
        &self.0
    }
}

/// The `x` and `y` of an uncompressed point.
pub(super) fn coordinates(point: &[u8; 65]) -> (&[u8], &[u8]) {
    point[1..].split_at(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_off_the_curve_is_refused() {
        // (0, 0) does not satisfy y² = x³ − 3x + b, since b is not zero.
        let mut origin = [0; 65];
        origin[0] = 4;
        assert_eq!(PublicKey::p256(&origin), Err(KeyError::Malformed));
        assert_eq!(PublicKey::p256(&[4; 33]), Err(KeyError::Malformed));
        assert_eq!(PublicKey::p256(&[]), Err(KeyError::Malformed));
    }

    #[test]
    fn an_ed25519_key_has_32_octets() {
        assert_eq!(PublicKey::ed25519(&[7; 31]), Err(KeyError::Malformed));
        assert_eq!(PublicKey::ed25519(&[7; 33]), Err(KeyError::Malformed));
    }

    #[test]
    fn an_rsa_modulus_has_2048_to_4096_bits() {
        let exponent = [1, 0, 1];
        let of_bits = |bits: usize| {
            let mut n = vec![0xff; bits.div_ceil(8)];
            n[0] >>= n.len() * 8 - bits;
            n
        };
        for bits in [2048, 2049, 3072, 4096] {
            assert!(PublicKey::rsa(&of_bits(bits), &exponent).is_ok(), "{bits}");
        }
        for bits in [8, 512, 1024, 2047, 4097, 8192] {
            assert_eq!(
                PublicKey::rsa(&of_bits(bits), &exponent),
                Err(KeyError::RsaLength),
                "{bits}"
            );
        }
    }

    #[test]
    fn an_rsa_number_is_odd_and_written_in_one_way() {
        let n = [0xff; 256];
        let padded = [&[0], &n[..]].concat();
        let even = [&n[..255], &[0xfe]].concat();
        let cases: [(&[u8], &[u8]); 8] = [
            (&padded, &[1, 0, 1]),
            (&even, &[1, 0, 1]),
            (&[], &[1, 0, 1]),
            (&n, &[0, 1, 0, 1]),
            (&n, &[]),
            (&n, &[1]),
            (&n, &[2]),
            (&n, &[1, 0, 0, 0, 1]),
        ];
        for (n, e) in cases {
            assert_eq!(PublicKey::rsa(n, e), Err(KeyError::Malformed), "{e:?}");
        }
    }
}
