//! Private keys, parsed once: a key pair is bound to one algorithm from the moment it exists (RFC 8725 §3.1).

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};

use super::jwk::Jwk;
use super::pkcs8::Pkcs8;
use super::public_key::{KeyError, LONGEST_RSA, PublicKey};
use crate::domain::Algorithm;

/// The longest signature we make, in bytes: that of the longest RSA key.
const LONGEST_SIGNATURE: usize = LONGEST_RSA / 8;

/// A private key ready to sign, with the public key it belongs to. `Debug` shows the public key's name only.
pub struct KeyPair {
    private: PrivateKey,
    jwk: Jwk,
}

/// One variant for each algorithm, so that key and algorithm cannot part.
enum PrivateKey {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
    Ps256(RsaKeyPair),
}

/// Has the cryptographic library gather the randomness it begins with: a tenth of a second of work on one core, which it does once in
/// a process, when it is first asked to sign. To be called on a thread that nobody waits for.
pub fn gather_randomness() {
    // Where there is none to gather, the first signature says so.
    let _ = aws_lc_rs::rand::fill(&mut [0]);
}

impl KeyPair {
    /// Makes a new private key: P-256, Ed25519 or RSA with 2048 bits, by the algorithm.
    ///
    /// The randomness is the cryptographic library's own, seeded by the operating system: it takes none from outside.
    ///
    /// # Errors
    /// [`KeyError::Generation`] when the library cannot make one.
    pub fn generate(algorithm: Algorithm) -> Result<Pkcs8, KeyError> {
        let generated = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .and_then(|key| key.to_pkcs8v1())
                .map(|der| Pkcs8::from_der(der.as_ref())),
            Algorithm::EdDsa => Ed25519KeyPair::generate()
                .and_then(|key| key.to_pkcs8v1())
                .map(|der| Pkcs8::from_der(der.as_ref())),
            Algorithm::Rs256 | Algorithm::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|key| AsDer::<Pkcs8V1Der<'_>>::as_der(&key))
                .map(|der| Pkcs8::from_der(der.as_ref())),
        };
        generated.map_err(|_| KeyError::Generation)
    }

    /// Parses an unencrypted PKCS#8 key in DER (RFC 5958) for use with `algorithm`.
    ///
    /// # Errors
    /// [`KeyError::WrongKind`], [`KeyError::RsaLength`] or [`KeyError::Malformed`].
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, KeyError> {
        let parsed = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(PrivateKey::Es256),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(PrivateKey::EdDsa),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(der).map(PrivateKey::Rs256),
            Algorithm::Ps256 => RsaKeyPair::from_pkcs8(der).map(PrivateKey::Ps256),
        };
        let private = parsed.map_err(|rejected| reason(algorithm, rejected))?;
        let jwk = Jwk::new(algorithm, private.public_key()?)?;
        Ok(Self { private, jwk })
    }

    /// Signs `message` as RFC 7518 §3.3 to §3.5 and RFC 8037 §3.1 lay the signature out: for ES256, `R ‖ S` of fixed length.
    ///
    /// # Panics
    /// When the cryptographic library has no memory or no randomness left: there is no signature to give then.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        match &self.private {
            PrivateKey::Es256(key) => {
                let signature = key
                    .sign(&SystemRandom::new(), message)
                    .expect("a parsed P-256 key signs any message");
                Signature::of(signature.as_ref())
            }
            PrivateKey::EdDsa(key) => Signature::of(key.sign(message).as_ref()),
            PrivateKey::Rs256(key) => Signature::rsa(key, &RSA_PKCS1_SHA256, message),
            PrivateKey::Ps256(key) => Signature::rsa(key, &RSA_PSS_SHA256, message),
        }
    }

    /// The length of every signature of this key, in bytes.
    pub(super) fn signature_length(&self) -> usize {
        match &self.private {
            PrivateKey::Es256(_) | PrivateKey::EdDsa(_) => 64,
            PrivateKey::Rs256(key) | PrivateKey::Ps256(key) => key.public_modulus_len(),
        }
    }

    /// The public key, with its algorithm and name.
    #[must_use]
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

impl PrivateKey {
    fn public_key(&self) -> Result<PublicKey, KeyError> {
        match self {
            Self::Es256(key) => PublicKey::p256(key.public_key().as_ref()),
            Self::EdDsa(key) => PublicKey::ed25519(key.public_key().as_ref()),
            Self::Rs256(key) | Self::Ps256(key) => {
                let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(key.public_key());
                PublicKey::rsa(&n, &e)
            }
        }
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair")
            .field("algorithm", &self.jwk.algorithm())
            .field("key_id", self.jwk.key_id())
            .finish_non_exhaustive()
    }
}

/// What the library says in words only, as our closed set.
fn reason(algorithm: Algorithm, rejected: KeyRejected) -> KeyError {
    match rejected.description_() {
        "WrongAlgorithm" => KeyError::WrongKind(algorithm),
        "TooSmall" | "TooLarge" => KeyError::RsaLength,
        _ => KeyError::Malformed,
    }
}

/// The octets of one signature, held without allocation.
pub struct Signature {
    octets: [u8; LONGEST_SIGNATURE],
    length: usize,
}

impl Signature {
    fn of(octets: &[u8]) -> Self {
        let mut signature = Self {
            octets: [0; LONGEST_SIGNATURE],
            length: octets.len(),
        };
        signature.octets[..octets.len()].copy_from_slice(octets);
        signature
    }

    fn rsa(key: &RsaKeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Self {
        let mut signature = Self {
            octets: [0; LONGEST_SIGNATURE],
            length: key.public_modulus_len(),
        };
        let space = &mut signature.octets[..signature.length];
        key.sign(encoding, &SystemRandom::new(), message, space)
            .expect("a parsed RSA key of at most 4096 bits signs any message");
        signature
    }
}

impl AsRef<[u8]> for Signature {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.length]
    }
}
