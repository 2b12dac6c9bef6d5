//! When a signing key is announced, signs, retires: a pure function of the keys, the time and the policy.
//!
//! Two invariants hold for every schedule it gives (RFC 9111 caches of the JWKS are why):
//! a key stands in the JWKS for at least one `max-age` before it signs, so that no verifier meets a `kid` it cannot have, and for a
//! minute more, since a JWKS without it is still served while its announcement is being committed, and clocks differ;
//! and it stays there until its last token's `exp`, the skew verifiers allow, and one `max-age` have passed.
//! Where the `max-age` was changed meanwhile, the longer one counts: a JWKS served under it may be remembered still.
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
    /// Put down for the announced key that the `max-age` is longer from now on.
    Lengthen(KeyId),
    /// Take this key out of the JWKS: nothing it signed is alive any more, or it never signed and never will.
    Retire(KeyId),
}

impl KeyPolicy {
    /// From when an announced key may sign, given all `keys` of its environment, the oldest first: when nobody remembers a JWKS
    /// without it any more. The `max-age` may have been changed since, so each key keeps the one of its time.
    #[must_use]
    pub fn may_sign_from(&self, announced: &SigningKeyRecord, keys: &[SigningKeyRecord]) -> Timestamp {
        let own = announced.announced_at + announced.jwks_max_age.max(self.jwks_max_age) + CLOCK_SKEW;
        // A JWKS without the next key was served until that was announced.
        let before = keys.iter().zip(keys.iter().skip(1));
        before
            .map(|(newest, next)| next.announced_at + newest.jwks_max_age + CLOCK_SKEW)
            .fold(own, Timestamp::max)
    }

    /// When the key that signs has signed for as long as a key is to sign.
    #[must_use]
    pub fn worn_at(&self, active: &SigningKeyRecord) -> Option<Timestamp> {
        active.active_since.map(|since| since + self.rotate_every)
    }

    /// When a key that signs no longer is taken out of the JWKS.
    #[must_use]
    pub fn leaves_at(&self, retiring: &SigningKeyRecord) -> Option<Timestamp> {
        retiring.retiring_since.map(|since| since + self.lingering(retiring))
    }

    /// How long `key` stays in the JWKS after it last signed.
    fn lingering(&self, key: &SigningKeyRecord) -> Seconds {
        TokenLifetime::LONGEST.seconds() + CLOCK_SKEW + key.jwks_max_age.max(self.jwks_max_age)
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
    if announced.jwks_max_age < policy.jwks_max_age {
        return Some(KeyStep::Lengthen(announced.kid.clone()));
    }
    let worn = policy.worn_at(active).is_some_and(|at| at <= now);
    if (worn || active.algorithm != policy.algorithm) && policy.may_sign_from(announced, keys) <= now {
        return Some(KeyStep::Rotate {
            from: active.kid.clone(),
            to: announced.kid.clone(),
        });
    }
    keys.iter()
        .find(|key| key.state == KeyState::Retiring && policy.leaves_at(key).is_some_and(|at| at <= now))
        .map(|key| KeyStep::Retire(key.kid.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Environment, Epoch};

    const MAX_AGE: u32 = 600;
    /// The longest `max-age` that a schedule is given.
    const LONGEST_MAX_AGE: u32 = 5 * MAX_AGE;
    const ROTATE_EVERY: u32 = 30 * 86_400;
    /// From the announcement of a key to its first token: one `max-age` and a minute.
    const ANNOUNCED: u32 = MAX_AGE + 60;
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
        ChangeMaxAge(u32),
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
            1 => (10..=LONGEST_MAX_AGE).prop_map(Event::ChangeMaxAge),
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
        /// Until when a JWKS served up to now may be remembered.
        remembered_until: Timestamp,
        /// For each key, until when a JWKS without it may be remembered.
        unknown_until: Vec<(KeyId, Timestamp)>,
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
                remembered_until: Timestamp::from_seconds(0),
                unknown_until: Vec::new(),
            }
        }

        fn make(&mut self) -> SigningKeyRecord {
            self.made += 1;
            let mut thumbprint = [0; 32];
            thumbprint[..8].copy_from_slice(&self.made.to_be_bytes());
            let kid = KeyId::from_thumbprint(thumbprint);
            self.unknown_until.push((kid.clone(), self.remembered_until));
            SigningKeyRecord {
                kid,
                environment: Environment::Qa,
                algorithm: self.policy.algorithm,
                state: KeyState::Announced,
                public_jwk: String::new(),
                sealed_private_key: Vec::new(),
                announced_at: self.now,
                jwks_max_age: self.policy.jwks_max_age,
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
                KeyStep::Lengthen(kid) => {
                    let max_age = self.policy.jwks_max_age;
                    self.turn(&kid, |key, _| key.lengthened(max_age));
                }
                KeyStep::Retire(kid) => {
                    self.turn(&kid, SigningKeyRecord::retired);
                    let key = self.keys.iter().find(|key| key.kid == kid).unwrap();
                    if let Some(since) = key.retiring_since {
                        let stayed = self.now.seconds() - since.seconds();
                        let least = 3600 + 60 + self.policy.jwks_max_age.get();
                        assert!(stayed >= i64::from(least), "left {stayed} s after it last signed");
                    }
                }
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
                Event::Pass(seconds) => {
                    self.now = self.now + Seconds(seconds);
                    // The JWKS was served all the while, and will be until what changes now is known everywhere.
                    let remembered = self.now + self.policy.jwks_max_age + CLOCK_SKEW;
                    self.remembered_until = self.remembered_until.max(remembered);
                }
                // A server with new settings tends the keys before it serves them.
                Event::ChangeMaxAge(seconds) => {
                    self.policy.jwks_max_age = Seconds(seconds);
                    self.tend();
                }
                Event::Tend => self.tend(),
                Event::RotateByHand => {
                    let announced = self.keys.iter().find(|key| key.state == KeyState::Announced);
                    let ready = announced.filter(|key| self.policy.may_sign_from(key, &self.keys) <= self.now);
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
                    let unknown = self.unknown_until.iter().find(|(kid, _)| *kid == key.kid);
                    let (_, until) = unknown.expect("every key was made here");
                    assert!(since >= *until, "signed while a JWKS without it was remembered");
                    assert!(since.seconds() - key.announced_at.seconds() >= i64::from(key.jwks_max_age.get()) + 60);
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
            let successor_ready = announced.announced_at + Seconds(LONGEST_MAX_AGE) + CLOCK_SKEW <= self.now;
            let due = active.algorithm != self.policy.algorithm
                || active.active_since.unwrap() + Seconds(ROTATE_EVERY) <= self.now;
            assert!(!(due && successor_ready), "a rotation is overdue");
            for key in self.keys.iter().filter(|key| key.state == KeyState::Retiring) {
                assert!(
                    key.retiring_since.unwrap() + Seconds(LINGERING + LONGEST_MAX_AGE) > self.now,
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
    fn the_first_key_signs_at_once_and_its_successor_waits_for_its_turn() {
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
    fn a_shorter_max_age_does_not_let_a_key_sign_before_the_longer_one_has_passed() {
        for imported in [false, true] {
            let mut world = World::new();
            world.tend();
            world.meet(Event::Pass(ROTATE_EVERY));
            let announced = world.now;
            world.meet(if imported {
                Event::Import
            } else {
                Event::Revoke(KeyState::Announced)
            });
            world.tend();
            // Somebody fetched the JWKS a moment before, under ten minutes.
            world.meet(Event::ChangeMaxAge(10));
            let old = world.in_state(KeyState::Active);
            world.meet(Event::Pass(ANNOUNCED - 1));
            world.tend();
            assert_eq!(world.in_state(KeyState::Active), old);
            world.now = announced + Seconds(ANNOUNCED);
            world.tend();
            assert_ne!(world.in_state(KeyState::Active), old);
        }
    }

    #[test]
    fn a_key_announced_right_after_the_max_age_was_lowered_waits_for_the_longer_one() {
        let mut world = World::new();
        world.tend();
        world.meet(Event::Pass(ROTATE_EVERY - 1));
        world.meet(Event::ChangeMaxAge(10));
        world.meet(Event::Revoke(KeyState::Announced));
        world.tend();
        let old = world.in_state(KeyState::Active);
        world.meet(Event::Pass(ANNOUNCED - 1));
        world.tend();
        assert_eq!(world.in_state(KeyState::Active), old);
        world.meet(Event::Pass(1));
        world.tend();
        assert_ne!(world.in_state(KeyState::Active), old);
    }

    #[test]
    fn another_algorithm_signs_one_max_age_and_a_minute_after_it_was_asked_for() {
        let mut world = World::new();
        world.tend();
        world.policy.algorithm = Algorithm::Rs256;
        let asked = world.now;
        world.tend();
        world.now = asked + Seconds(ANNOUNCED - 1);
        world.tend();
        let active = |world: &World| {
            let active = world.keys.iter().find(|key| key.state == KeyState::Active);
            active.map(|key| key.algorithm)
        };
        assert_eq!(active(&world), Some(Algorithm::Es256));
        world.now = asked + Seconds(ANNOUNCED);
        world.tend();
        assert_eq!(active(&world), Some(Algorithm::Rs256));
    }
}
