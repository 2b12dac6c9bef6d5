//! Brute-force protection (RFC 6749 §2.3.1): a budget of failed authentications for each pair of client id and source address.
//!
//! The pair, so that a stranger who guesses can spend only his own budget and locks no partner out. Which ids exist does not
//! matter: ids that nobody has are counted alike.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use quick_cache::sync::Cache;

use crate::domain::sha256;

/// The most pairs that can be shut out at a time; beyond it the longest unseen are let in again.
const MOST_SHUT: usize = 100_000;
/// The most pairs counted before those that have recovered are dropped.
const MOST_COUNTED: usize = 100_000;

/// Who failed, or may: a client id and a source address, as a digest, so that long or many ids take no more room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FailureKey([u8; 16]);

impl FailureKey {
    /// The key of `client_id`, whatever its form, asked for from `source`. IPv6 counts by /64, which one host can have whole.
    #[must_use]
    pub fn new(client_id: &str, source: IpAddr) -> Self {
        let address = match source.to_canonical() {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
            }
        };
        let digest = sha256(&[&address.octets(), client_id.as_bytes()]);
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// The budgets.
pub struct Failures {
    limiter: DefaultKeyedRateLimiter<FailureKey>,
    shut: Cache<FailureKey, Instant>,
}

impl Failures {
    /// Each pair may fail `per_minute` times at once and as often each minute.
    #[must_use]
    pub fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            shut: Cache::new(MOST_SHUT),
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

    /// Counts a failure. The first beyond the budget shuts the pair out until the budget has recovered by one.
    pub fn count(&self, key: FailureKey) {
        if self.limiter.len() >= MOST_COUNTED {
            self.limiter.retain_recent();
        }
        if let Err(refused) = self.limiter.check_key(&key) {
            let wait = refused.wait_time_from(DefaultClock::default().now());
            self.shut.insert(key, Instant::now() + wait);
        }
    }

    /// Drops what has recovered, to be called now and then.
    pub fn tidy(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(client_id: &str, source: &str) -> FailureKey {
        FailureKey::new(client_id, source.parse().unwrap())
    }

    #[test]
    fn one_pair_spends_only_its_own_budget() {
        let failures = Failures::new(NonZeroU32::new(3).unwrap());
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
