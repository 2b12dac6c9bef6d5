//! Signing keys in few words: rotated, revoked, stolen, and tended as the server tends them.

use std::sync::Arc;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{
    Algorithm, Environment, Epoch, KeyPolicy, KeyState, Mutation, Seconds, SessionPolicy, SigningKeyRecord, Timestamp,
};
use mintmark::jose::KeyPair;
use mintmark::office::{Office, OfficeParts, OfficePolicy};
use mintmark::store::{CommitError, SealedColumn, Sealer};

use super::installation::{Installation, MAX_AGE};

/// How long a key signs before the office lets the next one follow.
pub const ROTATE_EVERY: Seconds = Seconds::from_days(2);

impl Installation {
    /// An office over the same registry.
    pub fn office(&self) -> Office {
        let policy = KeyPolicy {
            algorithm: Algorithm::Es256,
            rotate_every: ROTATE_EVERY,
            jwks_max_age: MAX_AGE,
        };
        Office::new(OfficeParts {
            registry: Arc::clone(&self.registry),
            pepper: Arc::clone(&self.pepper),
            sealer: Arc::clone(&self.sealer),
            clock: Arc::<super::installation::ManualClock>::clone(&self.clock),
            entropy: Arc::new(SystemEntropy::new()),
            policy: OfficePolicy {
                operator_token_lifetime: Seconds::from_days(90),
                sessions: SessionPolicy {
                    idle: Seconds(1_800),
                    longest: Seconds(43_200),
                },
                silence: Seconds::from_days(14),
                usage_kept: Seconds::from_days(400),
                qa_keys: policy,
                production_keys: policy,
            },
        })
    }

    /// Makes a key and lets it sign; the one before, where there is one, retires.
    pub fn rotate_key(&self, environment: Environment, algorithm: Algorithm) {
        let now = self.now();
        let announced = new_key(environment, algorithm, (&self.sealer, now));
        self.commit(Mutation::KeyAnnounced(announced.clone()));
        let active = SigningKeyRecord {
            state: KeyState::Active,
            active_since: Some(now),
            ..announced
        };
        self.commit(match self.active_key(environment) {
            None => Mutation::KeyActivated(active),
            Some(before) => Mutation::KeyRotated {
                retiring: SigningKeyRecord {
                    state: KeyState::Retiring,
                    retiring_since: Some(now),
                    ..before
                },
                active,
            },
        });
    }

    /// Takes the signing key out at once, with nothing in its place.
    pub fn revoke_key(&self, environment: Environment) {
        self.try_revoke_key(environment).expect("the store commits");
    }

    pub fn try_revoke_key(&self, environment: Environment) -> Result<(), CommitError> {
        let revoked = SigningKeyRecord {
            state: KeyState::Revoked,
            retired_at: Some(self.now()),
            ..self.active_key(environment).expect("a key signs")
        };
        self.try_commit(Mutation::KeyRevoked {
            revoked,
            successor: None,
        })
    }

    pub fn active_key(&self, environment: Environment) -> Option<SigningKeyRecord> {
        let keys = self.read(move |records| records.signing_keys(environment));
        keys.into_iter().find(|key| key.state == KeyState::Active)
    }

    /// The private key that signs, as a thief of it would have it.
    pub fn key_pair(&self, environment: Environment) -> KeyPair {
        let key = self.active_key(environment).expect("a key signs");
        let opened = self
            .sealer
            .open(SealedColumn::private_key(&key.kid), &key.sealed_private_key);
        KeyPair::from_pkcs8(
            key.algorithm,
            &opened.expect("the sealer is the one it was sealed with"),
        )
        .unwrap()
    }
}

fn new_key(environment: Environment, algorithm: Algorithm, (sealer, now): (&Sealer, Timestamp)) -> SigningKeyRecord {
    let pkcs8 = KeyPair::generate(algorithm).unwrap();
    let pair = KeyPair::from_pkcs8(algorithm, pkcs8.as_der()).unwrap();
    let kid = pair.jwk().key_id().clone();
    SigningKeyRecord {
        sealed_private_key: sealer.seal(SealedColumn::private_key(&kid), pkcs8.as_der(), &SystemEntropy::new()),
        kid,
        environment,
        algorithm,
        state: KeyState::Announced,
        public_jwk: serde_json::to_string(pair.jwk()).unwrap(),
        announced_at: now,
        jwks_max_age: Seconds(300),
        active_since: None,
        retiring_since: None,
        retired_at: None,
        version: Epoch::ZERO,
    }
}
