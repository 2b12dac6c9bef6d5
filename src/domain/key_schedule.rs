//! When a signing key is announced, signs, retires: a pure function of the keys, the time and the policy.
//!
//! Two invariants hold for every schedule it gives (RFC 9111 caches of the JWKS are why):
//! a key stands in the JWKS for at least one `max-age` before it signs, so that no verifier meets a `kid` it cannot have;
//! and it stays there until its last token's `exp`, the skew verifiers allow, and one `max-age` have passed.
//! The first key of an environment signs at once: no JWKS was ever served without it. So does the successor of a revoked
//! key, announced or not: an emergency outranks a cache.

use super::algorithm::Algorithm;
use super::client::TokenLifetime;
use super::key_id::KeyId;
use super::signing_key::{KeyState, SigningKeyRecord};
use super::time::{CLOCK_SKEW, Seconds, Timestamp};

/// What a rotation goes by.
#[derive(Clone, Copy, Debug)]
pub struct KeyPolicy {
    /// What new keys sign with.
    pub algorithm: Algorithm,
    /// How long a key signs.
    pub rotate_every: Seconds,
    /// The `max-age` of the JWKS.
    pub jwks_max_age: Seconds,
}

/// The next thing to do with the keys of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// Make a key and let it sign at once: there is none.
    Begin,
    /// Let this announced key sign: none does.
    Activate(KeyId),
    /// Let the announced key follow the active one.
    Rotate {
        /// The active one.
        from: KeyId,
        /// The announced one.
        to: KeyId,
    },
    /// Make a key and announce it as the successor.
    Announce,
    /// Take this key out of the JWKS: nothing it signed is alive any more, or it never signed and never will.
    Retire(KeyId),
}

impl KeyPolicy {
    /// From when an announced key may sign.
    #[must_use]
    pub fn may_sign_from(&self, announced: &SigningKeyRecord) -> Timestamp {
        announced.announced_at + self.jwks_max_age
    }

    /// How long a key stays in the JWKS after it last signed.
    fn lingering(&self) -> Seconds {
        TokenLifetime::LONGEST.seconds() + CLOCK_SKEW + self.jwks_max_age
    }
}

/// The next step due at `now` for the keys of one environment, or `None` when all is as it should be. Steps are taken one at
/// a time, each followed by another question, so that each is a mutation of its own.
#[must_use]
pub fn next_key_step(keys: &[SigningKeyRecord], policy: &KeyPolicy, now: Timestamp) -> Option<KeyStep> {
    let in_state = |state| keys.iter().find(move |key| key.state == state);
    let Some(active) = in_state(KeyState::Active) else {
        return Some(in_state(KeyState::Announced).map_or(KeyStep::Begin, |key| KeyStep::Activate(key.kid.clone())));
    };
    let Some(announced) = in_state(KeyState::Announced) else {
        return Some(KeyStep::Announce);
    };
    if announced.algorithm != policy.algorithm {
        return Some(KeyStep::Retire(announced.kid.clone()));
    }
    let worn = active
        .active_since
        .is_some_and(|since| since + policy.rotate_every <= now);
    if (worn || active.algorithm != policy.algorithm) && policy.may_sign_from(announced) <= now {
        return Some(KeyStep::Rotate {
            from: active.kid.clone(),
            to: announced.kid.clone(),
        });
    }
    keys.iter()
        .find(|key| {
            key.state == KeyState::Retiring
                && key
                    .retiring_since
                    .is_some_and(|since| since + policy.lingering() <= now)
        })
        .map(|key| KeyStep::Retire(key.kid.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Environment, Epoch};

    const MAX_AGE: u32 = 600;
    const ROTATE_EVERY: u32 = 30 * 86_400;
    /// The longest life of a token, a minute of skew, one `max-age`.
    const LINGERING: u32 = 3600 + 60 + MAX_AGE;

    /// What can happen to the keys of an environment.
    #[derive(Clone, Copy, Debug)]
    enum Event {
        Pass(u32),
        Tend,
        RotateByHand,
        Revoke(KeyState),
        Import,
        Change(Algorithm),
    }

    fn event() -> impl Strategy<Value = Event> {
        let revocable = [KeyState::Announced, KeyState::Active, KeyState::Retiring];
        prop_oneof![
            4 => (0..2 * MAX_AGE).prop_map(Event::Pass),
            2 => (0..2 * LINGERING).prop_map(Event::Pass),
            1 => (0..2 * ROTATE_EVERY).prop_map(Event::Pass),
            8 => Just(Event::Tend),
            2 => Just(Event::RotateByHand),
            1 => prop::sample::select(revocable.to_vec()).prop_map(Event::Revoke),
            1 => Just(Event::Import),
            1 => prop::sample::select(Algorithm::ALL.to_vec()).prop_map(Event::Change),
        ]
    }

    /// The keys of one environment and what a witness remembers of them.
    struct World {
        keys: Vec<SigningKeyRecord>,
        policy: KeyPolicy,
        now: Timestamp,
        made: u64,
        /// Keys that began to sign because none did.
        emergencies: Vec<KeyId>,
    }

    impl World {
        fn new() -> Self {
            Self {
                keys: Vec::new(),
                policy: KeyPolicy {
                    algorithm: Algorithm::Es256,
                    rotate_every: Seconds(ROTATE_EVERY),
                    jwks_max_age: Seconds(MAX_AGE),
                },
                now: Timestamp::from_seconds(1_700_000_000),
                made: 0,
                emergencies: Vec::new(),
            }
        }

        fn make(&mut self) -> SigningKeyRecord {
            self.made += 1;
            let mut thumbprint = [0; 32];
            thumbprint[..8].copy_from_slice(&self.made.to_be_bytes());
            SigningKeyRecord {
                kid: KeyId::from_thumbprint(thumbprint),
                environment: Environment::Qa,
                algorithm: self.policy.algorithm,
                state: KeyState::Announced,
                public_jwk: String::new(),
                sealed_private_key: Vec::new(),
                announced_at: self.now,
                active_since: None,
                retiring_since: None,
                retired_at: None,
                version: Epoch::ZERO,
            }
        }

        fn in_state(&self, state: KeyState) -> Option<KeyId> {
            self.keys
                .iter()
                .find(|key| key.state == state)
                .map(|key| key.kid.clone())
        }

        fn turn(&mut self, kid: &KeyId, turn: impl FnOnce(SigningKeyRecord, Timestamp) -> SigningKeyRecord) {
            let key = self.keys.iter_mut().find(|key| key.kid == *kid).unwrap();
            *key = turn(key.clone(), self.now);
        }

        fn activate(&mut self, kid: &KeyId) {
            if self.in_state(KeyState::Active).is_none() {
                self.emergencies.push(kid.clone());
            }
            self.turn(kid, SigningKeyRecord::activated);
        }

        fn take(&mut self, step: KeyStep) {
            match step {
                KeyStep::Begin => {
                    let key = self.make();
                    self.keys.push(key.clone());
                    self.activate(&key.kid);
                }
                KeyStep::Activate(kid) => self.activate(&kid),
                KeyStep::Rotate { from, to } => {
                    self.activate(&to);
                    self.turn(&from, SigningKeyRecord::retiring);
                }
                KeyStep::Announce => {
                    let key = self.make();
                    self.keys.push(key);
                }
                KeyStep::Retire(kid) => self.turn(&kid, SigningKeyRecord::retired),
            }
        }

        fn tend(&mut self) {
            for _ in 0..16 {
                match next_key_step(&self.keys, &self.policy, self.now) {
                    Some(step) => self.take(step),
                    None => return self.is_at_rest(),
                }
                self.holds();
            }
            panic!("tending never ends: {:?}", self.keys);
        }

        fn meet(&mut self, event: Event) {
            match event {
                Event::Pass(seconds) => self.now = self.now + Seconds(seconds),
                Event::Tend => self.tend(),
                Event::RotateByHand => {
                    let announced = self.keys.iter().find(|key| key.state == KeyState::Announced);
                    let ready = announced.filter(|key| self.policy.may_sign_from(key) <= self.now);
                    if let (Some(to), Some(from)) = (ready.map(|key| key.kid.clone()), self.in_state(KeyState::Active))
                    {
                        self.take(KeyStep::Rotate { from, to });
                    }
                }
                Event::Revoke(state) => {
                    if let Some(kid) = self.in_state(state) {
                        self.turn(&kid, |key, now| key.revoked(now).unwrap());
                    }
                    if self.in_state(KeyState::Active).is_none()
                        && let Some(successor) = self.in_state(KeyState::Announced)
                    {
                        self.activate(&successor);
                    }
                }
                Event::Import => {
                    if let Some(kid) = self.in_state(KeyState::Announced) {
                        self.turn(&kid, SigningKeyRecord::retired);
                    }
                    self.take(KeyStep::Announce);
                }
                Event::Change(algorithm) => self.policy.algorithm = algorithm,
            }
            self.holds();
        }

        /// What must be true at every moment.
        fn holds(&self) {
            let count = |state| self.keys.iter().filter(|key| key.state == state).count();
            assert!(count(KeyState::Active) <= 1, "two keys sign");
            assert!(count(KeyState::Announced) <= 1, "two keys are announced");
            for key in &self.keys {
                if let Some(since) = key.active_since
                    && !self.emergencies.contains(&key.kid)
                {
                    let known_for = since.seconds() - key.announced_at.seconds();
                    assert!(
                        known_for >= i64::from(MAX_AGE),
                        "signed {known_for} s after it was announced"
                    );
                }
                if let (KeyState::Retired, Some(_)) = (key.state, key.active_since) {
                    let stayed = key.retired_at.unwrap().seconds() - key.retiring_since.unwrap().seconds();
                    assert!(stayed >= i64::from(LINGERING), "left {stayed} s after it last signed");
                }
                let rightly_placed = match key.state {
                    KeyState::Announced => key.active_since.is_none(),
                    KeyState::Active => key.active_since.is_some() && key.retiring_since.is_none(),
                    KeyState::Retiring => key.retiring_since.is_some() && key.retired_at.is_none(),
                    KeyState::Retired | KeyState::Revoked => key.retired_at.is_some(),
                };
                assert!(rightly_placed, "{key:?}");
            }
        }

        /// What must be true once no step is due.
        fn is_at_rest(&self) {
            let key_in = |state| self.keys.iter().find(|key| key.state == state).unwrap();
            let (active, announced) = (key_in(KeyState::Active), key_in(KeyState::Announced));
            assert_eq!(announced.algorithm, self.policy.algorithm);
            let successor_ready = announced.announced_at + Seconds(MAX_AGE) <= self.now;
            let due = active.algorithm != self.policy.algorithm
                || active.active_since.unwrap() + Seconds(ROTATE_EVERY) <= self.now;
            assert!(!(due && successor_ready), "a rotation is overdue");
            for key in self.keys.iter().filter(|key| key.state == KeyState::Retiring) {
                assert!(
                    key.retiring_since.unwrap() + Seconds(LINGERING) > self.now,
                    "a key lingers"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn the_promises_hold_on_every_path(events in prop::collection::vec(event(), 100..400)) {
            let mut world = World::new();
            world.tend();
            for event in events {
                world.meet(event);
            }
            world.tend();
        }
    }

    #[test]
    fn the_first_key_signs_at_once_and_its_successor_waits_for_one_max_age() {
        let mut world = World::new();
        world.tend();
        let (first, second) = (world.in_state(KeyState::Active), world.in_state(KeyState::Announced));
        world.now = world.now + Seconds(ROTATE_EVERY - 1);
        world.tend();
        assert_eq!(world.in_state(KeyState::Active), first);
        world.now = world.now + Seconds(1);
        world.tend();
        assert_eq!(world.in_state(KeyState::Active), second);
        assert_eq!(world.in_state(KeyState::Retiring), first);
        world.now = world.now + Seconds(LINGERING - 1);
        world.tend();
        assert_eq!(world.in_state(KeyState::Retiring), first);
        world.now = world.now + Seconds(1);
        world.tend();
        assert_eq!(world.in_state(KeyState::Retired), first);
    }

    #[test]
    fn another_algorithm_signs_one_max_age_after_it_was_asked_for() {
        let mut world = World::new();
        world.tend();
        world.policy.algorithm = Algorithm::Rs256;
        let asked = world.now;
        world.tend();
        world.now = asked + Seconds(MAX_AGE - 1);
        world.tend();
        let active = |world: &World| {
            let active = world.keys.iter().find(|key| key.state == KeyState::Active);
            active.map(|key| key.algorithm)
        };
        assert_eq!(active(&world), Some(Algorithm::Es256));
        world.now = asked + Seconds(MAX_AGE);
        world.tend();
        assert_eq!(active(&world), Some(Algorithm::Rs256));
    }
}
