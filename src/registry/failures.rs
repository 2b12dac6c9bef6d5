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

use quick_cache::sync::Cache;

use crate::domain::sha256;

/// The most pairs that can be shut out at a time; beyond it the longest unseen are let in again.
const MOST_SHUT: usize = 100_000;
/// The most pairs counted; beyond it the longest unseen begin anew. Whoever floods the table to be forgotten has spent a request
/// for each place in it, and a count that never looks at the whole table cannot be slowed down by what is in it.
const MOST_COUNTED: usize = 100_000;
/// In which a budget recovers, and the longest anybody waits for it.
const MINUTE: Duration = Duration::from_mins(1);

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
    /// So long after a failure the budget has recovered from it.
    interval: Duration,
    /// From how many intervals on a budget is spent.
    most: u32,
    /// When each pair's budget is whole again, in nanoseconds since `began`.
    counted: Cache<FailureKey, Arc<AtomicU64>>,
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
            interval: MINUTE / per_minute.get(),
            most: per_minute.get(),
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
        self.shut_at(key, Instant::now())
    }

    fn shut_at(&self, key: &FailureKey, now: Instant) -> Option<Duration> {
        let until = self.shut.get(key)?;
        let left = until.checked_duration_since(now).filter(|left| !left.is_zero());
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

    /// Counts a failure. The last of the budget shuts the pair out until it has recovered by one. Those that were looked at beside it
    /// count too: whoever guesses many at once waits for as many to come back, a minute at the most.
    pub fn count(&self, key: FailureKey) {
        self.count_at(key, Instant::now());
    }

    fn count_at(&self, key: FailureKey, now: Instant) {
        let Ok(budget) = self
            .counted
            .get_or_insert_with(&key, || Ok::<_, Infallible>(Arc::default()));
        let since = now.saturating_duration_since(self.began);
        let open = since + self.interval * (self.most - 1);
        let whole = self.spend(&budget, (since, open + MINUTE));
        if let Some(wait) = whole.checked_sub(open).filter(|wait| !wait.is_zero()) {
            self.shut.insert(key, now + wait);
            let moment = (since + wait).as_millis() + 1;
            self.all_open
                .fetch_max(u64::try_from(moment).unwrap_or(u64::MAX), Ordering::AcqRel);
        }
    }

    /// Takes one from a budget at `since`; when it is whole again, which is never after `latest`.
    fn spend(&self, budget: &AtomicU64, (since, latest): (Duration, Duration)) -> Duration {
        let after = |whole: u64| (Duration::from_nanos(whole).max(since) + self.interval).min(latest);
        let mut whole = budget.load(Ordering::Acquire);
        loop {
            let next = after(whole);
            let nanoseconds = u64::try_from(next.as_nanos()).unwrap_or(u64::MAX);
            match budget.compare_exchange_weak(whole, nanoseconds, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return next,
                Err(other) => whole = other,
            }
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
        assert!(failures.any_shut());
        let wait = failures.shut_for(&stranger).expect("the budget is spent");
        assert!(
            wait <= Duration::from_secs(20),
            "three a minute recover one in twenty seconds: {wait:?}"
        );
        assert!(failures.shut_for(&key("qa-acme-0", "192.0.2.2")).is_none());
        assert!(failures.shut_for(&key("qa-acme-1", "192.0.2.1")).is_none());
    }

    /// Tries as often as it may for ten minutes, `at_once` at a time; how many were looked at.
    fn looked_at(per_minute: u32, at_once: u32) -> u32 {
        let failures = Failures::new(NonZeroU32::new(per_minute).unwrap());
        let (stranger, began) = (key("qa-acme-0", "192.0.2.1"), failures.began);
        let mut looked_at = 0;
        for tenth in 0..6_000 {
            let now = began + Duration::from_millis(100) * tenth;
            if failures.shut_at(&stranger, now).is_none() {
                (0..at_once).for_each(|_| failures.count_at(stranger, now));
                looked_at += at_once;
            }
        }
        looked_at
    }

    #[test]
    fn whoever_tries_without_end_is_looked_at_as_often_as_the_budget_says() {
        for per_minute in [1, 5, 7, 30, 120] {
            let most = 10 * per_minute + per_minute;
            let looked_at = looked_at(per_minute, 1);
            assert!(
                (most - most / 20 - 1..=most).contains(&looked_at),
                "{looked_at} of {most}"
            );
        }
    }

    #[test]
    fn whoever_tries_many_at_once_gains_nothing_up_to_a_minutes_worth() {
        for at_once in 2..=5 {
            let looked_at = looked_at(5, at_once);
            // The last may be looked at before the others have shut it out.
            assert!(looked_at <= 55 + at_once, "{at_once} at once: {looked_at}");
        }
        assert!(looked_at(5, 1_000) <= 10 * 1_000, "a flood is looked at once a minute");
    }

    #[test]
    fn nobody_waits_longer_than_a_minute() {
        let failures = Failures::new(NonZeroU32::new(5).unwrap());
        let (stranger, now) = (key("qa-acme-0", "192.0.2.1"), failures.began);
        (0..1_000).for_each(|_| failures.count_at(stranger, now));
        assert_eq!(failures.shut_at(&stranger, now), Some(MINUTE));
        assert_eq!(failures.shut_at(&stranger, now + MINUTE), None);
        // What was forgiven of it is not owed any more, but no more comes back than one.
        failures.count_at(stranger, now + MINUTE);
        let wait = failures.shut_at(&stranger, now + MINUTE).unwrap();
        assert_eq!(wait, Duration::from_secs(12), "five a minute");
    }

    #[test]
    fn ipv6_counts_by_its_first_half_and_mapped_addresses_as_ipv4() {
        assert_eq!(key("a", "2001:db8::1"), key("a", "2001:db8::ffff"));
        assert_ne!(key("a", "2001:db8::1"), key("a", "2001:db8:0:1::1"));
        assert_eq!(key("a", "::ffff:192.0.2.1"), key("a", "192.0.2.1"));
    }
}
