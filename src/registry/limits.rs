//! Rates: how fast a client and its partner may obtain tokens here, and a client revoke them; and how a limit is said.
//!
//! Each replica counts for itself. A remembered client holds its buckets, so that a token looks nothing up; where there is no limit
//! there is nothing to do. A bucket is known by whom it counts for and by its rate: another rate is another bucket, so a changed plan
//! holds with the next request.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use thiserror::Error;

use super::Registry;
use super::held::Held;
use super::registered::KnownClient;
use crate::domain::{ClientId, Environment, Limit, Limits, Rate};

/// What anybody may do in a minute, whatever their plan, on each replica.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Failed authentications of each pair of client id and source.
    pub failures_per_minute: NonZeroU32,
    /// Client ids that fail from each source.
    pub unknown_ids_per_minute: NonZeroU32,
    /// Tokens that each client revokes.
    pub revocations_per_minute: NonZeroU32,
}

/// A limit in numbers, as its holder may read them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Which limit.
    pub limit: Limit,
    /// So many.
    pub quota: u64,
    /// In so long, in seconds.
    pub window: u64,
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remainder {
    /// The limit.
    pub policy: Policy,
    /// So many are left.
    pub remaining: u64,
}

/// A limit that is used up for now. Its text is for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{}; shut out for {} s", limit.used_up(), self.seconds())]
pub struct Exceeded {
    /// Which.
    pub limit: Limit,
    /// Its numbers, where the caller has shown who it is and may read them.
    pub policy: Option<Policy>,
    /// How long to wait before trying again can help.
    pub wait: Duration,
}

impl Exceeded {
    /// Of a caller who has not shown who it is and may read no numbers.
    #[must_use]
    pub const fn of_a_stranger(limit: Limit, wait: Duration) -> Self {
        Self {
            limit,
            policy: None,
            wait,
        }
    }

    /// The wait in whole seconds, never less than it is and never none.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        whole_seconds(self.wait).max(1)
    }
}

fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

/// When a bucket will be whole again, in nanoseconds since it was made. The limiter keeps this to itself; here it can be put back to.
#[derive(Clone, Default)]
struct Level(Arc<AtomicU64>);

impl Level {
    /// One that came back in `interval` was taken in vain. What others took meanwhile stays taken, unless the bucket was whole again between:
    /// then theirs comes back with it. Nothing waits between a take and its putting back.
    fn put_back(&self, interval: Duration) {
        let interval = Nanos::from(interval).as_u64();
        // Whatever else was there, this much was added to it.
        let _ = self.0.fetch_sub(interval, Ordering::AcqRel);
    }
}

impl StateStore for Level {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut level = self.0.load(Ordering::Acquire);
        loop {
            let (outcome, next) = measure(Some(level.into()))?;
            let stored = self
                .0
                .compare_exchange_weak(level, next.as_u64(), Ordering::AcqRel, Ordering::Acquire);
            match stored {
                Ok(_) => return Ok(outcome),
                Err(other) => level = other,
            }
        }
    }
}

/// A token bucket: counts what one holder does, at a rate with a burst.
struct Bucket<C: Clock = DefaultClock> {
    policy: Policy,
    quota: Quota,
    level: Level,
    limiter: RateLimiter<NotKeyed, Level, C, StateInformationMiddleware>,
}

impl<C: Clock> Bucket<C> {
    fn new(limit: Limit, quota: Quota, clock: C) -> Self {
        // A burst comes back in this time: no more is promised than is given, whatever the burst.
        let window = whole_seconds(quota.burst_size_replenished_in()).max(1);
        let level = Level::default();
        Self {
            policy: Policy {
                limit,
                quota: u64::from(quota.burst_size().get()),
                window,
            },
            quota,
            limiter: RateLimiter::new(quota, level.clone(), clock),
            level,
        }
    }

    /// Takes one.
    fn take(&self) -> Result<Remainder, Exceeded> {
        let policy = self.policy;
        match self.limiter.check() {
            Ok(left) => Ok(Remainder {
                policy,
                remaining: left.remaining_burst_capacity().into(),
            }),
            Err(refused) => Err(Exceeded {
                limit: policy.limit,
                policy: Some(policy),
                wait: refused.wait_time_from(self.limiter.clock().now()),
            }),
        }
    }

    /// Puts back one that was taken and led to nothing.
    fn put_back(&self) {
        self.level.put_back(self.quota.replenish_interval());
    }

    /// Takes the whole burst, or nothing where some of it is still missing. One of which all could be taken is as good as new.
    fn drain(&self) -> bool {
        matches!(self.limiter.check_n(self.quota.burst_size()), Ok(Ok(_)))
    }
}

impl<C: Clock> fmt::Debug for Bucket<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// The rates of one client's tokens: its own, and the one it shares with the other clients of its partner.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    client: Option<Arc<Bucket>>,
    partner: Option<Arc<Bucket>>,
}

impl Rates {
    /// Takes one token from each, or from none: from the client's first, so that a client beyond its own takes nothing from the
    /// others'. Says what is left of each.
    ///
    /// # Errors
    /// With the first rate that is used up for now.
    pub fn take(&self) -> Result<Vec<Remainder>, Exceeded> {
        let both = [&self.client, &self.partner].into_iter().flatten();
        let left = both.map(|bucket| bucket.take()).collect();
        if let (
            Err(Exceeded {
                limit: Limit::PartnerRate,
                ..
            }),
            Some(own),
        ) = (&left, &self.client)
        {
            own.put_back();
        }
        left
    }

    /// Puts back the token that was [taken](Rates::take) for what was not issued.
    pub fn put_back(&self) {
        let both = [&self.client, &self.partner].into_iter().flatten();
        both.for_each(|bucket| bucket.put_back());
    }
}

/// Whose a bucket is, and how fast it lets through.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Holder {
    limit: Limit,
    environment: Environment,
    id: String,
    burst: NonZeroU32,
    interval: Duration,
}

/// Every bucket somebody holds or has taken from: a client that is read again finds its own. One that nobody holds goes once it is whole
/// again, so nobody gains by being forgotten.
pub(super) struct BucketTable {
    revocations: Quota,
    buckets: Held<Holder, Bucket>,
}

impl BucketTable {
    /// Each client may revoke so many tokens at once and as many each minute.
    pub(super) fn new(revocations_per_minute: NonZeroU32) -> Self {
        Self {
            revocations: Quota::per_minute(revocations_per_minute),
            buckets: Held::new(Bucket::drain),
        }
    }

    /// The buckets of a client within these limits.
    pub(super) fn rates(&self, client: &KnownClient, limits: Option<&Limits>) -> Rates {
        let Some(limits) = limits else {
            return Rates::default();
        };
        let bucket = |limit, id: &str, rate: Rate| {
            let quota = Quota::per_second(rate.tokens_per_second.get()).allow_burst(rate.burst.get());
            self.bucket((limit, client.environment, id), quota)
        };
        let (own, shared) = (limits.client.rate, limits.partner.rate);
        Rates {
            client: own.map(|rate| bucket(Limit::ClientRate, client.client_id.as_str(), rate)),
            partner: shared.map(|rate| bucket(Limit::PartnerRate, limits.payer.as_str(), rate)),
        }
    }

    /// Takes one revocation of a client's token.
    ///
    /// # Errors
    /// When the client has revoked too many.
    pub(super) fn take_revocation(&self, environment: Environment, client_id: &ClientId) -> Result<(), Exceeded> {
        let whose = (Limit::Revocations, environment, client_id.as_str());
        self.bucket(whose, self.revocations).take().map(drop)
    }

    fn bucket(&self, (limit, environment, id): (Limit, Environment, &str), quota: Quota) -> Arc<Bucket> {
        let holder = Holder {
            limit,
            environment,
            id: id.to_owned(),
            burst: quota.burst_size(),
            interval: quota.replenish_interval(),
        };
        self.buckets
            .hold(holder, |_| Bucket::new(limit, quota, DefaultClock::default()))
    }
}

impl Registry {
    /// Takes one revocation of a token from what the client may do, on this replica.
    ///
    /// # Errors
    /// When the client has revoked too many.
    pub fn take_revocation(&self, environment: Environment, client_id: &ClientId) -> Result<(), Exceeded> {
        self.buckets.take_revocation(environment, client_id)
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn bucket(per_second: u32, burst: u32, clock: &FakeRelativeClock) -> Bucket<FakeRelativeClock> {
        let quota = Quota::per_second(number(per_second)).allow_burst(number(burst));
        Bucket::new(Limit::ClientRate, quota, clock.clone())
    }

    fn remaining(taken: Result<Remainder, Exceeded>) -> u64 {
        taken.unwrap().remaining
    }

    #[test]
    fn a_burst_is_let_through_at_once_and_the_rate_from_then_on() {
        let clock = FakeRelativeClock::default();
        let bucket = bucket(2, 3, &clock);
        for left in [2, 1, 0] {
            assert_eq!(remaining(bucket.take()), left);
        }
        let exceeded = bucket.take().unwrap_err();
        assert_eq!(exceeded.limit, Limit::ClientRate);
        assert_eq!(
            exceeded.wait,
            Duration::from_millis(500),
            "two a second are one in half a second"
        );
        assert_eq!(exceeded.seconds(), 1);
        clock.advance(Duration::from_millis(499));
        assert!(bucket.take().is_err());
        clock.advance(Duration::from_millis(1));
        assert_eq!(remaining(bucket.take()), 0);
        assert!(bucket.take().is_err());
        clock.advance(Duration::from_hours(1));
        assert_eq!(remaining(bucket.take()), 2, "a pause gives back one burst and no more");
    }

    #[test]
    fn in_a_long_run_no_more_pass_than_the_rate_and_one_burst() {
        let clock = FakeRelativeClock::default();
        let bucket = bucket(50, 100, &clock);
        let mut passed = 0;
        // Ten seconds, one try a millisecond.
        for _ in 0..10_000 {
            passed += u32::from(bucket.take().is_ok());
            clock.advance(Duration::from_millis(1));
        }
        assert!(
            (599..=600).contains(&passed),
            "{passed}: 50 a second for 10 s, and 100 at once"
        );
    }

    #[test]
    fn what_is_said_of_a_rate_is_never_more_than_is_given() {
        let clock = FakeRelativeClock::default();
        for (per_second, burst, quota, window) in [(50, 100, 100, 2), (50, 10, 10, 1), (3, 10, 10, 4), (1, 1, 1, 1)] {
            let policy = bucket(per_second, burst, &clock).policy;
            assert_eq!((policy.quota, policy.window), (quota, window), "{per_second} {burst}");
        }
    }

    #[test]
    fn a_wait_is_said_in_whole_seconds_and_never_too_short() {
        for (milliseconds, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            let exceeded = Exceeded::of_a_stranger(Limit::Failures, Duration::from_millis(milliseconds));
            assert_eq!(exceeded.seconds(), seconds, "{milliseconds} ms");
        }
    }

    #[test]
    fn a_client_beyond_its_own_rate_takes_nothing_from_the_others() {
        let quota = |burst| Quota::per_minute(number(60)).allow_burst(number(burst));
        let shared = Arc::new(Bucket::new(Limit::PartnerRate, quota(10), DefaultClock::default()));
        let of = |burst| Rates {
            client: Some(Arc::new(Bucket::new(
                Limit::ClientRate,
                quota(burst),
                DefaultClock::default(),
            ))),
            partner: Some(Arc::clone(&shared)),
        };
        let (greedy, modest) = (of(2), of(9));
        let refused = (0..100).filter_map(|_| greedy.take().err()).count();
        assert!(refused >= 90, "{refused}");
        let left = modest.take().unwrap();
        assert_eq!(left[0].remaining, 8);
        assert!(left[1].remaining >= 7, "{left:?}: ten, less the two and one");
    }

    #[test]
    fn what_is_put_back_can_be_taken_again_and_no_more() {
        let clock = FakeRelativeClock::default();
        let bucket = bucket(2, 3, &clock);
        for _ in 0..10 {
            assert_eq!(remaining(bucket.take()), 2);
            bucket.put_back();
        }
        // Put back after it would have come back by itself.
        bucket.take().unwrap();
        clock.advance(Duration::from_hours(1));
        bucket.put_back();
        for left in [2, 1, 0] {
            assert_eq!(remaining(bucket.take()), left);
        }
        assert!(bucket.take().is_err());
        bucket.put_back();
        assert_eq!(remaining(bucket.take()), 0);
        assert!(bucket.take().is_err());
    }

    #[test]
    fn what_the_partners_rate_refuses_is_not_taken_from_the_clients() {
        let quota = |burst| Quota::per_hour(number(1)).allow_burst(number(burst));
        let bucket = |limit, burst| Some(Arc::new(Bucket::new(limit, quota(burst), DefaultClock::default())));
        let mut rates = Rates {
            client: bucket(Limit::ClientRate, 3),
            partner: bucket(Limit::PartnerRate, 1),
        };
        rates.take().unwrap();
        for _ in 0..10 {
            assert_eq!(rates.take().unwrap_err().limit, Limit::PartnerRate);
        }
        rates.partner = None;
        assert_eq!(
            rates.take().unwrap()[0].remaining,
            1,
            "three, less the two that were let through"
        );
    }

    #[test]
    fn a_bucket_can_be_drained_when_it_is_whole_and_else_stays_as_it_is() {
        let clock = FakeRelativeClock::default();
        let bucket = bucket(2, 3, &clock);
        bucket.take().unwrap();
        clock.advance(Duration::from_millis(499));
        assert!(!bucket.drain(), "one is missing for half a second");
        assert_eq!(remaining(bucket.take()), 1, "what was there is there");
        clock.advance(Duration::from_millis(501));
        assert!(bucket.drain());
        assert!(bucket.take().is_err());
    }

    #[test]
    fn a_budget_is_forgotten_when_it_is_whole_and_never_before() {
        let table = BucketTable::new(number(1));
        let greedy: ClientId = "qa-acme-0".parse().unwrap();
        table.take_revocation(Environment::Qa, &greedy).unwrap();
        for other in 0..10_000 {
            let whose = (Limit::Revocations, Environment::Production, &*other.to_string());
            table.bucket(whose, table.revocations);
        }
        assert!(table.buckets.all().len() < 2_000, "nothing was taken from the others");
        table.take_revocation(Environment::Qa, &greedy).unwrap_err();
    }

    #[test]
    fn environments_clients_and_rates_have_buckets_of_their_own() {
        let table = BucketTable::new(number(1));
        let acme: ClientId = "qa-acme-0".parse().unwrap();
        let other: ClientId = "qa-acme-1".parse().unwrap();
        table.take_revocation(Environment::Qa, &acme).unwrap();
        let exceeded = table.take_revocation(Environment::Qa, &acme).unwrap_err();
        assert_eq!(exceeded.limit, Limit::Revocations);
        assert!(exceeded.wait <= Duration::from_mins(1), "{:?}", exceeded.wait);
        table.take_revocation(Environment::Qa, &other).unwrap();
        table.take_revocation(Environment::Production, &acme).unwrap();
        let faster = Quota::per_minute(number(2));
        let changed = table.bucket((Limit::Revocations, Environment::Qa, acme.as_str()), faster);
        assert_eq!(remaining(changed.take()), 1, "another rate begins anew");
    }
}
