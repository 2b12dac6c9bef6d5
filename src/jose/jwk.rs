//! Public keys as JSON (RFC 7517): written with all their members, read back without mercy.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use super::json::{JsonFault, require_object_of_unique_members};
use super::public_key::{KeyError, Material, PublicKey, coordinates};
use crate::domain::{Algorithm, KeyId};

/// Members that would give a private or symmetric key away (RFC 7518 §6.2.2, §6.3.2, §6.4, RFC 8037 §2, RFC 9964 §3).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// Why a text is not a public key of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JwkError {
    /// Not an object of unique members.
    #[error("the JWK {0}")]
    Json(#[from] JsonFault),
    /// A private or symmetric member: a secret where a public key was expected.
    #[error("the JWK holds a member of a private key")]
    PrivateMember,
    /// A member is missing, unknown, of the wrong type, or not strict base64url.
    #[error("the JWK's members are not those of a signing key of this server")]
    Members,
    /// `kid` is not the thumbprint of the key (RFC 7638).
    #[error("the JWK's \"kid\" is not its thumbprint")]
    KeyId,
    /// The numbers are not a key, or not one for `alg`.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A public signing key (RFC 7517 §4) with its algorithm and its name, the thumbprint.
///
/// As JSON it has `kty`, then `crv`, `x`, `y` or `n`, `e`, then `kid`, `alg` and `use`. [`FromStr`] reads what
/// [`Serialize`] wrote and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    algorithm: Algorithm,
    key_id: KeyId,
    public_key: PublicKey,
}

impl Jwk {
    /// Binds `public_key` to the one algorithm it verifies.
    ///
    /// # Errors
    /// [`KeyError::WrongKind`] when the key is of another type than `algorithm` needs.
    pub fn new(algorithm: Algorithm, public_key: PublicKey) -> Result<Self, KeyError> {
        if public_key.serves(algorithm) {
            Ok(Self {
                algorithm,
                key_id: public_key.thumbprint(),
                public_key,
            })
        } else {
            Err(KeyError::WrongKind(algorithm))
        }
    }

    /// The `alg` member (RFC 7517 §4.4).
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` member (RFC 7517 §4.5).
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }

    /// The key itself.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

/// The members as they stand in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    kty: KeyType,
    #[serde(skip_serializing_if = "Option::is_none")]
    crv: Option<Curve>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<String>,
    kid: KeyId,
    alg: Algorithm,
    #[serde(rename = "use")]
    public_key_use: PublicKeyUse,
}

/// `kty` (RFC 7518 §6.1, RFC 8037 §2).
#[derive(Serialize, Deserialize)]
enum KeyType {
    #[serde(rename = "EC")]
    Ec,
    #[serde(rename = "OKP")]
    Okp,
    #[serde(rename = "RSA")]
    Rsa,
}

/// `crv` (RFC 7518 §6.2.1.1, RFC 8037 §2).
#[derive(Serialize, Deserialize)]
enum Curve {
    #[serde(rename = "P-256")]
    P256,
    Ed25519,
}

/// `use` (RFC 7517 §4.2).
#[derive(Serialize, Deserialize)]
enum PublicKeyUse {
    #[serde(rename = "sig")]
    Signature,
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |octets: &[u8]| Some(URL_SAFE_NO_PAD.encode(octets));
        let (kty, crv, [x, y, n, e]) = match self.public_key.material() {
            Material::P256(point) => {
                let (x, y) = coordinates(point);
                (KeyType::Ec, Some(Curve::P256), [text(x), text(y), None, None])
            }
            Material::Ed25519(x) => (KeyType::Okp, Some(Curve::Ed25519), [text(x), None, None, None]),
            Material::Rsa { n, e } => (KeyType::Rsa, None, [None, None, text(n), text(e)]),
        };
        let members = Members {
            kty,
            crv,
            x,
            y,
            n,
            e,
            kid: self.key_id.clone(),
            alg: self.algorithm,
            public_key_use: PublicKeyUse::Signature,
        };
        members.serialize(serializer)
    }
}

impl FromStr for Jwk {
    type Err = JwkError;

    fn from_str(json: &str) -> Result<Self, JwkError> {
        require_object_of_unique_members(json.as_bytes())?;
        let members: Map<String, Value> = serde_json::from_str(json).map_err(|_| JwkError::Members)?;
        if PRIVATE_MEMBERS.iter().any(|private| members.contains_key(*private)) {
            return Err(JwkError::PrivateMember);
        }
        let members = Members::deserialize(Value::Object(members)).map_err(|_| JwkError::Members)?;
        let jwk = Self::new(members.alg, members.public_key()?)?;
        if jwk.key_id == members.kid {
            Ok(jwk)
        } else {
            Err(JwkError::KeyId)
        }
    }
}

impl Members {
    fn public_key(&self) -> Result<PublicKey, JwkError> {
        match (&self.kty, &self.crv, [&self.x, &self.y, &self.n, &self.e]) {
            (KeyType::Ec, Some(Curve::P256), [Some(x), Some(y), None, None]) => {
                let (x, y) = (octets(x)?, octets(y)?);
                if x.len() != y.len() {
                    return Err(JwkError::Key(KeyError::Malformed));
                }
                Ok(PublicKey::p256(&[&[4], x.as_slice(), y.as_slice()].concat())?)
            }
            (KeyType::Okp, Some(Curve::Ed25519), [Some(x), None, None, None]) => Ok(PublicKey::ed25519(&octets(x)?)?),
            (KeyType::Rsa, None, [None, None, Some(n), Some(e)]) => Ok(PublicKey::rsa(&octets(n)?, &octets(e)?)?),
            _ => Err(JwkError::Members),
        }
    }
}

fn octets(base64url: &str) -> Result<Vec<u8>, JwkError> {
    URL_SAFE_NO_PAD.decode(base64url).map_err(|_| JwkError::Members)
}

/// A JWK set (RFC 7517 §5): `{"keys":[…]}`, each `kid` once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    keys: Vec<Jwk>,
}

impl JwkSet {
    /// The keys in the order in which they were given.
    #[must_use]
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }
}

impl FromIterator<Jwk> for JwkSet {
    /// A key named twice counts once.
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        let mut set = Self::default();
        for key in keys {
            if set.keys.iter().all(|known| known.key_id != key.key_id) {
                set.keys.push(key);
            }
        }
        set
    }
}
