//! Signing keys: made, announced, rotated, imported, revoked; and the tending that keeps each environment as its policy says.
//!
//! Making a key takes long, so it is made before the commit; the commit then decides whether it is still wanted.

use super::commit::{Versioned, found};
use super::{Administrator, Errand, Office, OfficeError};
use crate::domain::{
    Actor, Algorithm, Attribution, Change, Environment, Epoch, Invalid, KeyId, KeyPolicy, KeyState, KeyStep, Mutation,
    Noun, Refusal, Role, SigningKeyRecord, Timestamp, next_key_step,
};
use crate::jose::{KeyError, KeyPair, Pkcs8};
use crate::store::{CommitError, Records, SealedColumn, StoreError};

/// More steps in a row than this are no tending but a fault: a whole life of a key takes five.
const MOST_STEPS: usize = 16;

/// Names one key of an environment.
#[derive(Clone, Debug)]
pub struct KeyAddress {
    /// Where it signs.
    pub environment: Environment,
    /// Which.
    pub kid: KeyId,
}

/// A private key made elsewhere.
pub struct KeyImport {
    /// Where it is to sign.
    pub environment: Environment,
    /// The key.
    pub private_key: Pkcs8,
}

/// The keys of one environment, and what becomes of them by themselves.
#[derive(Clone, Debug)]
pub struct KeyOutlook {
    /// Where they sign.
    pub environment: Environment,
    /// All of them, the oldest first, the retired ones too.
    pub keys: Vec<SigningKeyRecord>,
    /// The rotation they go by.
    pub policy: KeyPolicy,
}

impl KeyOutlook {
    /// The one in this state, of which there can be one.
    fn only(&self, state: KeyState) -> Option<&SigningKeyRecord> {
        self.keys.iter().find(|key| key.state == state)
    }

    /// From when the announced key may follow the one that signs; `None` where one of the two is not there.
    #[must_use]
    pub fn may_rotate_from(&self) -> Option<Timestamp> {
        self.only(KeyState::Active)?;
        let announced = self.only(KeyState::Announced)?;
        Some(self.policy.may_sign_from(announced, &self.keys))
    }

    /// When it follows by itself, as far as can be told now.
    #[must_use]
    pub fn rotates_at(&self) -> Option<Timestamp> {
        let (from, active) = (self.may_rotate_from()?, self.only(KeyState::Active)?);
        if active.algorithm == self.policy.algorithm {
            self.policy.worn_at(active).map(|worn| worn.max(from))
        } else {
            Some(from)
        }
    }

    /// When `key`, which signs no longer, leaves the JWKS by itself.
    #[must_use]
    pub fn leaves_at(&self, key: &SigningKeyRecord) -> Option<Timestamp> {
        self.policy.leaves_at(key)
    }
}

/// How a revocation ended.
#[derive(Clone, Copy, Debug)]
enum Revocation {
    /// The key is out.
    Made,
    /// Nothing is done yet: the key signs, and there is none to follow it.
    NeedsSuccessor,
}

impl Versioned for Revocation {
    fn at(self, _: Epoch) -> Self {
        self
    }
}

impl Office {
    /// The keys of one environment or of both, the oldest of each first, the retired ones too.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn keys(
        &self,
        who: &Administrator,
        environment: Option<Environment>,
    ) -> Result<Vec<SigningKeyRecord>, OfficeError> {
        who.require(Role::Viewer)?;
        let read = move |records: &mut dyn Records| {
            let mut keys = Vec::new();
            for each in Environment::ALL {
                if environment.is_none_or(|only| only == each) {
                    keys.extend(records.signing_keys(each)?);
                }
            }
            Ok(keys)
        };
        Ok(self.parts.registry.read(read).await?)
    }

    /// The keys of one environment, and what becomes of them.
    ///
    /// # Errors
    /// As [`Office::keys`].
    pub async fn key_outlook(&self, who: &Administrator, environment: Environment) -> Result<KeyOutlook, OfficeError> {
        Ok(KeyOutlook {
            environment,
            keys: self.keys(who, Some(environment)).await?,
            policy: *self.parts.policy.keys(environment),
        })
    }

    /// One key.
    ///
    /// # Errors
    /// When there is none, the role does not allow it, or the store does not answer in time.
    pub async fn key(&self, who: &Administrator, address: KeyAddress) -> Result<SigningKeyRecord, OfficeError> {
        who.require(Role::Viewer)?;
        let KeyAddress { environment, kid } = address;
        let registry = &self.parts.registry;
        let key = registry.read(move |records| records.signing_key(&kid)).await?;
        Ok(found(key.filter(|key| key.environment == environment), Noun::Key)?)
    }

    /// The algorithm that new keys of `environment` sign with.
    #[must_use]
    pub const fn key_algorithm(&self, environment: Environment) -> Algorithm {
        self.parts.policy.keys(environment).algorithm
    }

    /// Lets the announced key follow the active one. Answers with the environment's published keys.
    ///
    /// # Errors
    /// [`Refusal::TooEarly`] while the announced key is younger than one `max-age` of the JWKS and a minute; when none is announced, the role
    /// does not allow it, or the store does not answer in time.
    pub async fn rotate_key(
        &self,
        who: &Administrator,
        errand: Errand,
        environment: Environment,
    ) -> Result<Vec<SigningKeyRecord>, OfficeError> {
        let (now, policy) = (self.parts.clock.now(), *self.parts.policy.keys(environment));
        self.change(who.require(Role::Owner)?, errand, move |records| {
            let keys = records.signing_keys(environment)?;
            let (Some(active), Some(announced)) = (key_in(&keys, KeyState::Active), key_in(&keys, KeyState::Announced))
            else {
                return Err(Refusal::State("no successor is announced yet").into());
            };
            let from = policy.may_sign_from(&announced, &keys);
            if now < from {
                return Err(Refusal::TooEarly { from }.into());
            }
            let rotated = Mutation::KeyRotated {
                retiring: active.retiring(now),
                active: announced.activated(now),
            };
            Ok((Some(rotated), ()))
        })
        .await?;
        self.settle(who, environment).await
    }

    /// Takes a key out at once. Where it was the one that signed, a successor signs at once. Answers with the environment's
    /// published keys.
    ///
    /// # Errors
    /// When there is no such key or it is out already, it is not what the sender knew, the role does not allow it, or the store
    /// does not answer in time.
    pub async fn revoke_key(
        &self,
        who: &Administrator,
        errand: Errand,
        address: KeyAddress,
    ) -> Result<Vec<SigningKeyRecord>, OfficeError> {
        let permit = who.require(Role::Owner)?;
        let (if_match, now, environment) = (errand.if_match.clone(), self.parts.clock.now(), address.environment);
        let mut spare = None;
        loop {
            let (if_match, kid, made) = (if_match.clone(), address.kid.clone(), spare.take());
            let decide = move |records: &mut dyn Records| {
                let keys = records.signing_keys(environment)?;
                let key = found(keys.iter().find(|key| key.kid == kid).cloned(), Noun::Key)?;
                if_match.admit(key.version)?;
                let signed = key.state == KeyState::Active;
                let revoked = key.revoked(now)?;
                let successor = key_in(&keys, KeyState::Announced).or_else(|| made.clone());
                let successor = successor.filter(|_| signed).map(|key| key.activated(now));
                if signed && successor.is_none() {
                    return Ok((None, Revocation::NeedsSuccessor));
                }
                Ok((Some(Mutation::KeyRevoked { revoked, successor }), Revocation::Made))
            };
            match self.change(permit, errand.clone(), decide).await? {
                Revocation::Made => break,
                Revocation::NeedsSuccessor => spare = Some(self.make_key(environment).await?),
            }
        }
        self.settle(who, environment).await
    }

    /// Announces a key made elsewhere, in place of the one announced before. Answers with the environment's published keys.
    ///
    /// # Errors
    /// When the key is known already or not of the environment's algorithm, the role does not allow it, or the store does not
    /// answer in time.
    pub async fn import_key(
        &self,
        who: &Administrator,
        errand: Errand,
        import: KeyImport,
    ) -> Result<Vec<SigningKeyRecord>, OfficeError> {
        let (permit, environment) = (who.require(Role::Owner)?, import.environment);
        let (announced, now) = (self.record(environment, &import.private_key)?, self.parts.clock.now());
        self.change(permit, errand, move |records| {
            if records.signing_key(&announced.kid)?.is_some() {
                return Err(Refusal::Taken {
                    noun: Noun::Key,
                    field: "pem",
                }
                .into());
            }
            let before = key_in(&records.signing_keys(environment)?, KeyState::Announced);
            let imported = Mutation::KeyImported {
                withdrawn: before.map(|key| key.retired(now)),
                announced: announced.clone(),
            };
            Ok((Some(imported), ()))
        })
        .await?;
        self.settle(who, environment).await
    }

    /// Takes every step that is due at `now`, in both environments, in the server's own name.
    ///
    /// # Errors
    /// When a key cannot be made, or the store does not answer in time. What is left is due still.
    pub async fn tend_keys(&self, now: Timestamp) -> Result<(), OfficeError> {
        for environment in Environment::ALL {
            self.tend_keys_of(environment, now).await?;
        }
        Ok(())
    }

    async fn tend_keys_of(&self, environment: Environment, now: Timestamp) -> Result<(), OfficeError> {
        let policy = *self.parts.policy.keys(environment);
        for _ in 0..MOST_STEPS {
            let registry = &self.parts.registry;
            let keys = registry.read(move |records| records.signing_keys(environment)).await?;
            let Some(step) = next_key_step(&keys, &policy, now) else {
                return Ok(());
            };
            let made = match &step {
                KeyStep::Begin | KeyStep::Announce => Some(self.make_key(environment).await?),
                KeyStep::Activate(_) | KeyStep::Rotate { .. } | KeyStep::Lengthen(_) | KeyStep::Retire(_) => None,
            };
            let attribution = Attribution {
                actor: Actor::Server,
                at: self.parts.clock.now_milliseconds(),
                request_id: None,
            };
            let decide = move |records: &mut dyn Records| {
                let keys = records.signing_keys(environment)?;
                let due = next_key_step(&keys, &policy, now).filter(|due| *due == step);
                let mutation = due.and_then(|step| written(&step, &keys, (made.as_ref(), &policy, now)));
                Ok::<_, CommitError>((mutation.map(Change::from), ()))
            };
            registry.commit(attribution, decide).await?;
        }
        Err(StoreError::Corrupt(format!("the signing keys of {environment} never come to rest")).into())
    }

    /// After a change by hand: takes the steps that follow from it, and gives the published keys. The change itself is made, so a
    /// step that fails is left to the next tending.
    async fn settle(
        &self,
        who: &Administrator,
        environment: Environment,
    ) -> Result<Vec<SigningKeyRecord>, OfficeError> {
        if let Err(error) = self.tend_keys_of(environment, self.parts.clock.now()).await {
            log::warn!(environment:% = environment, error:% = error; "the signing keys could not be tended after a change by hand");
        }
        let mut keys = self.keys(who, Some(environment)).await?;
        keys.retain(|key| key.state.is_published());
        Ok(keys)
    }

    async fn make_key(&self, environment: Environment) -> Result<SigningKeyRecord, OfficeError> {
        let algorithm = self.key_algorithm(environment);
        let made = self
            .parts
            .registry
            .aside(move || KeyPair::generate(algorithm))
            .await??;
        Ok(self.record(environment, &made)?)
    }

    /// A key as the store keeps it, announced now.
    fn record(&self, environment: Environment, private_key: &Pkcs8) -> Result<SigningKeyRecord, KeyError> {
        let algorithm = self.key_algorithm(environment);
        let pair = KeyPair::from_pkcs8(algorithm, private_key.as_der())?;
        let kid = pair.jwk().key_id().clone();
        let place = SealedColumn::private_key(&kid);
        let parts = &self.parts;
        Ok(SigningKeyRecord {
            environment,
            algorithm,
            state: KeyState::Announced,
            public_jwk: serde_json::to_string(pair.jwk()).expect("a JWK has text keys and no failing serializer"),
            sealed_private_key: parts.sealer.seal(place, private_key.as_der(), &*parts.entropy),
            kid,
            announced_at: parts.clock.now(),
            jwks_max_age: parts.policy.keys(environment).jwks_max_age,
            active_since: None,
            retiring_since: None,
            retired_at: None,
            version: Epoch::ZERO,
        })
    }
}

impl KeyImport {
    /// Reads one PEM block for the keys of `environment`, which sign with `algorithm`.
    ///
    /// # Errors
    /// [`Refusal::Invalid`], naming the field `pem`.
    pub fn from_pem(environment: Environment, algorithm: Algorithm, pem: &str) -> Result<Self, Refusal> {
        let private_key = Pkcs8::from_pem(algorithm, pem).map_err(|error| Refusal::Invalid {
            field: "pem",
            reason: Invalid::new(match error {
                KeyError::WrongKind(_) => "is a key of another type than the environment's algorithm needs",
                KeyError::RsaLength => "is an RSA key of less than 2048 or more than 4096 bits",
                KeyError::Malformed | KeyError::Generation => {
                    "is a key whose parts are malformed or do not fit together"
                }
                KeyError::NotPem => "is not a single unencrypted PKCS#8 block, -----BEGIN PRIVATE KEY-----",
            }),
        })?;
        Ok(Self {
            environment,
            private_key,
        })
    }
}

fn key_in(keys: &[SigningKeyRecord], state: KeyState) -> Option<SigningKeyRecord> {
    keys.iter().find(|key| key.state == state).cloned()
}

/// The mutation that takes `step`; none when a key it needs is not there.
fn written(
    step: &KeyStep,
    keys: &[SigningKeyRecord],
    (made, policy, now): (Option<&SigningKeyRecord>, &KeyPolicy, Timestamp),
) -> Option<Mutation> {
    let named = |kid: &KeyId| keys.iter().find(|key| key.kid == *kid).cloned();
    Some(match step {
        KeyStep::Begin => Mutation::KeyActivated(made?.clone().activated(now)),
        KeyStep::Activate(kid) => Mutation::KeyActivated(named(kid)?.activated(now)),
        KeyStep::Rotate { from, to } => Mutation::KeyRotated {
            retiring: named(from)?.retiring(now),
            active: named(to)?.activated(now),
        },
        KeyStep::Announce => Mutation::KeyAnnounced(made?.clone()),
        KeyStep::Lengthen(kid) => Mutation::KeyAnnounced(named(kid)?.lengthened(policy.jwks_max_age)),
        KeyStep::Retire(kid) => Mutation::KeyRetired(named(kid)?.retired(now)),
    })
}
