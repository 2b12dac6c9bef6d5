//! Brute-force protection (RFC 6749 §2.3.1): a budget of failed authentications for each pair of client id and source address, and
//! one of client ids that fail for each source.
//!
//! The pair, so that a stranger who guesses can spend only his own budget and locks no partner out. Which ids exist does not
//! matter: ids that nobody has are counted alike.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use quick_cache::sync::Cache;

use crate::domain::sha256;

/// The most pairs that can be shut out at a time; beyond it the longest unseen are let in again.
const MOST_SHUT: usize = 100_000;
/// The most pairs counted; beyond it the longest unseen begin anew. Whoever floods the table to be forgotten has spent a request
/// for each place in it, and a count that never looks at the whole table cannot be slowed down by what is in it.
const MOST_COUNTED: usize = 100_000;

/// What somebody tried to pass for. Each kind has budgets of its own, whatever ids callers make up.
#[derive(Clone, Copy, Debug)]
pub enum Attempt<'a> {
    /// The client with this id, whatever its form.
    Client(&'a str),
    /// Any client: what counts is how many ids were tried.
    AnyClient,
    /// An operator: whose token it would be is not said.
    Operator,
}

impl Attempt<'_> {
    /// The kind, and what is said of whom, as they go into the digest.
    const fn parts(&self) -> (&'static [u8], &[u8]) {
        match self {
            Self::Client(client_id) => (b"client", client_id.as_bytes()),
            Self::AnyClient => (b"any", b""),
            Self::Operator => (b"operator", b""),
        }
    }
}

/// Who failed, or may: an attempt and a source address, as a digest, so that long or many ids take no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FailureKey([u8; 16]);

impl FailureKey {
    /// The key of `attempt`, made from `source`. IPv6 counts by /64, which one host can have whole.
    #[must_use]
    pub fn new(attempt: Attempt<'_>, source: IpAddr) -> Self {
        let address = match source.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
            }
        };
        let (kind, id) = attempt.parts();
        // The address has one length and no kind is the beginning of another, so no two keys are written alike.
        let digest = sha256(&[kind, &address.octets(), id]);
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// The budgets.
pub struct Failures {
    quota: Quota,
    counted: Cache<FailureKey, Arc<DefaultDirectRateLimiter>>,
    shut: Cache<FailureKey, Instant>,
    began: Instant,
    /// When the last of those that were ever shut out may try again, in milliseconds since `began`.
    all_open: AtomicU64,
}

impl Failures {
    /// Each pair may fail `per_minute` times at once and as often each minute.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            quota: Quota::per_minute(per_minute),
            counted: Cache::new(MOST_COUNTED),
            shut: Cache::new(MOST_SHUT),
            began: Instant::now(),
            all_open: AtomicU64::new(0),
        }
    }

    /// Whether there is anybody who must still wait. While there is not, nobody need ask for himself.
    #[must_use]
    pub fn any_shut(&self) -> bool {
        match self.all_open.load(Ordering::Acquire) {
            0 => false,
            moment => self.began.elapsed() <= Duration::from_millis(moment),
        }
    }

    /// How long this pair must still wait before it may try again; `None` when it may try now.
    #[must_use]
    pub fn shut_for(&self, key: &FailureKey) -> Option<Duration> {
        let until = self.shut.get(key)?;
        let left = until.checked_duration_since(Instant::now());
        if left.is_none() {
            self.shut.remove(key);
        }
        left
    }

    /// Whether this pair has failed before, as far as is remembered.
    #[must_use]
    pub fn remember(&self, key: &FailureKey) -> bool {
        self.counted.contains_key(key)
    }

    /// Counts a failure. The first beyond the budget shuts the pair out until the budget has recovered by one.
    pub fn count(&self, key: FailureKey) {
        let full = || Ok::<_, Infallible>(Arc::new(RateLimiter::direct(self.quota)));
        let Ok(budget) = self.counted.get_or_insert_with(&key, full);
        if let Err(refused) = budget.check() {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            let until = Instant::now() + wait;
            self.shut.insert(key, until);
            let moment = until.saturating_duration_since(self.began).as_millis() + 1;
            self.all_open
                .fetch_max(u64::try_from(moment).unwrap_or(u64::MAX), Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(client_id: &str, source: &str) -> FailureKey {
        FailureKey::new(Attempt::Client(client_id), source.parse().unwrap())
    }

    #[test]
    fn clients_and_operators_never_spend_each_others_budget() {
        let operator = FailureKey::new(Attempt::Operator, "192.0.2.1".parse().unwrap());
        let named: Vec<_> = ["admin", "operator", "client", "", "\0"]
            .map(|client_id| key(client_id, "192.0.2.1"))
            .into();
        let failures = Failures::new(NonZeroU32::new(3).unwrap());
        for client in &named {
            (0..40).for_each(|_| failures.count(*client));
            assert!(failures.shut_for(client).is_some());
        }
        assert_eq!(failures.shut_for(&operator), None);
        let failures = Failures::new(NonZeroU32::new(3).unwrap());
        (0..40).for_each(|_| failures.count(operator));
        assert!(failures.shut_for(&operator).is_some());
        assert!(named.iter().all(|client| failures.shut_for(client).is_none()));
    }

    #[test]
    fn a_source_has_a_budget_of_its_own_and_a_pair_is_new_to_it_once() {
        let of = |source: &str| FailureKey::new(Attempt::AnyClient, source.parse().unwrap());
        assert_ne!(of("192.0.2.1"), key("", "192.0.2.1"));
        assert_ne!(
            of("192.0.2.1"),
            FailureKey::new(Attempt::Operator, "192.0.2.1".parse().unwrap())
        );
        assert_eq!(of("2001:db8::1"), of("2001:db8::2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        let failures = Failures::new(NonZeroU32::new(3).unwrap());
        let pair = key("qa-acme-0", "192.0.2.1");
        assert!(!failures.remember(&pair));
        failures.count(pair);
        assert!(failures.remember(&pair));
        assert!(!failures.remember(&key("qa-acme-0", "192.0.2.2")));
    }

    #[test]
    fn a_flood_of_pairs_takes_bounded_room_and_lets_a_guesser_spend_only_his_budget() {
        let failures = Failures::new(NonZeroU32::new(1).unwrap());
        let guesser = key("qa-acme-0", "192.0.2.1");
        for number in 0..2 * MOST_COUNTED {
            let made_up = key(&number.to_string(), "192.0.2.1");
            failures.count(made_up);
            failures.count(made_up);
        }
        assert!(failures.counted.len() <= MOST_COUNTED, "{}", failures.counted.len());
        assert!(failures.shut.len() <= MOST_SHUT, "{}", failures.shut.len());
        failures.count(guesser);
        failures.count(guesser);
        assert!(
            failures.shut_for(&guesser).is_some(),
            "a full table counts all the same"
        );
    }

    #[test]
    fn who_may_try_again_is_forgotten() {
        let failures = Failures::new(NonZeroU32::new(1).unwrap());
        let past = key("qa-acme-0", "192.0.2.1");
        failures.shut.insert(past, Instant::now());
        assert_eq!(failures.shut_for(&past).unwrap_or_default(), Duration::ZERO);
        assert_eq!(failures.shut_for(&past), None);
        assert!(failures.shut.is_empty());
    }

    #[test]
    fn one_pair_spends_only_its_own_budget() {
        let failures = Failures::new(NonZeroU32::new(3).unwrap());
        assert!(!failures.any_shut());
        let stranger = key("qa-acme-0", "192.0.2.1");
        for _ in 0..3 {
            assert!(failures.shut_for(&stranger).is_none());
            failures.count(stranger);
        }
        assert!(
            failures.shut_for(&stranger).is_none(),
            "the budget is spent, not overdrawn"
        );
        failures.count(stranger);
        assert!(failures.any_shut());
        let wait = failures.shut_for(&stranger).unwrap();
        assert!(
            wait <= Duration::from_secs(20),
            "three a minute recover one in twenty seconds: {wait:?}"
        );
        assert!(failures.shut_for(&key("qa-acme-0", "192.0.2.2")).is_none());
        assert!(failures.shut_for(&key("qa-acme-1", "192.0.2.1")).is_none());
    }

    #[test]
    fn ipv6_counts_by_its_first_half_and_mapped_addresses_as_ipv4() {
        assert_eq!(key("a", "2001:db8::1"), key("a", "2001:db8::ffff"));
        assert_ne!(key("a", "2001:db8::1"), key("a", "2001:db8:0:1::1"));
        assert_eq!(key("a", "::ffff:192.0.2.1"), key("a", "192.0.2.1"));
    }
}
