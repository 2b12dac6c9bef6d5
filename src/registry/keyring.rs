//! The keys of one environment as a replica holds them: parsed once, ready to sign and to verify.

use std::collections::HashMap;
use std::fmt;

use thiserror::Error;

use crate::domain::{Algorithm, Document, Environment, KeyId, KeyState, SigningKeyRecord, Timestamp};
use crate::jose::{Jwk, JwkError, JwkSet, KeyError, KeyPair, SigningKey, TokenType, VerifyingKey};
use crate::store::{Records, SealedColumn, Sealer, StoreError, Unopenable};

/// The keys of one environment.
pub struct Keyring {
    signing: Option<SigningKey>,
    verifying: HashMap<KeyId, VerifyingKey>,
    jwks: Document,
    ages: Vec<KeyAge>,
}

/// Since when a published key stands in its state.
#[derive(Clone, Copy, Debug)]
pub struct KeyAge {
    /// The state.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
}

/// Why a keyring could not be made.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A private key could not be opened with the master key.
    #[error("the private key {kid} cannot be opened: {cause}")]
    Sealed {
        /// Which.
        kid: KeyId,
        /// Why.
        cause: Unopenable,
    },
    /// A private key is not what it should be.
    #[error("the private key {kid} is unusable: {cause}")]
    Private {
        /// Which.
        kid: KeyId,
        /// Why.
        cause: KeyError,
    },
    /// A public key is not what it should be.
    #[error("the public key {kid} is unusable: {cause}")]
    Public {
        /// Which.
        kid: KeyId,
        /// Why.
        cause: JwkError,
    },
}

impl Keyring {
    /// Reads, opens and parses the keys of `environment`.
    ///
    /// # Errors
    /// When the store does not answer, or a key in it cannot be used.
    pub fn read(records: &mut dyn Records, environment: Environment, sealer: &Sealer) -> Result<Self, KeyringError> {
        let published: Vec<_> = records
            .signing_keys(environment)?
            .into_iter()
            .filter(|key| key.state.is_published())
            .collect();
        let jwks = published.iter().map(public_key).collect::<Result<JwkSet, _>>()?;
        let signing = published
            .iter()
            .find(|key| key.state == KeyState::Active)
            .map(|key| private_key(key, sealer))
            .transpose()?;
        let verifying = jwks
            .keys()
            .iter()
            .map(|jwk| (jwk.key_id().clone(), VerifyingKey::from(jwk)))
            .collect();
        let ages = published.iter().map(KeyAge::of).collect();
        Ok(Self {
            signing,
            verifying,
            jwks: Document::new(&in_json(&jwks)),
            ages,
        })
    }

    /// The key that signs, if there is one.
    #[must_use]
    pub const fn signing(&self) -> Option<&SigningKey> {
        self.signing.as_ref()
    }

    /// The published key with this id.
    #[must_use]
    pub fn verifying(&self, kid: &KeyId) -> Option<&VerifyingKey> {
        self.verifying.get(kid)
    }

    /// The JWK set as it is served (RFC 7517 §5), in JSON.
    #[must_use]
    pub const fn jwks(&self) -> &Document {
        &self.jwks
    }

    /// Since when each published key stands in its state.
    #[must_use]
    pub fn ages(&self) -> &[KeyAge] {
        &self.ages
    }

    /// What new tokens are signed with.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.signing.as_ref().map(SigningKey::algorithm)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("published", &self.verifying.keys())
            .finish_non_exhaustive()
    }
}

impl KeyAge {
    fn of(key: &SigningKeyRecord) -> Self {
        let since = key.retiring_since.or(key.active_since).unwrap_or(key.announced_at);
        Self {
            state: key.state,
            since,
        }
    }
}

fn in_json(keys: &JwkSet) -> String {
    serde_json::to_string(keys).expect("a JWK set has text keys and no failing serializer")
}

fn public_key(key: &SigningKeyRecord) -> Result<Jwk, KeyringError> {
    key.public_jwk.parse().map_err(|cause| KeyringError::Public {
        kid: key.kid.clone(),
        cause,
    })
}

fn private_key(key: &SigningKeyRecord, sealer: &Sealer) -> Result<SigningKey, KeyringError> {
    let opened = sealer
        .open(SealedColumn::private_key(&key.kid), &key.sealed_private_key)
        .map_err(|cause| KeyringError::Sealed {
            kid: key.kid.clone(),
            cause,
        })?;
    let pair = KeyPair::from_pkcs8(key.algorithm, &opened).map_err(|cause| KeyringError::Private {
        kid: key.kid.clone(),
        cause,
    })?;
    Ok(SigningKey::new(pair, TokenType::AccessToken))
}
