//! Sessions: that a browser speaks for an operator, until it was idle for too long, is too old, or has signed out.

use std::net::IpAddr;

use super::operator::{Operator, OperatorId};
use super::secret::SecretDigest;
use super::time::{Seconds, Timestamp};

/// How much later than it was last used a session may be found to be used, before that is written down.
const NOTED_EVERY: Seconds = Seconds(60);

/// That a browser speaks for an operator.
#[derive(Clone, Debug)]
pub struct Session {
    /// The keyed digest of the secret in the browser's cookie.
    pub digest: SecretDigest,
    /// For whom it speaks.
    pub operator_id: OperatorId,
    /// The digest of the operator's token when it began. Another token ends it.
    pub token_digest: SecretDigest,
    /// Where the browser was when it began.
    pub source: IpAddr,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was last used, to the minute.
    pub used_at: Timestamp,
}

/// For how long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPolicy {
    /// When it is not used.
    pub idle: Seconds,
    /// However much it is used.
    pub longest: Seconds,
}

impl Session {
    /// Whether it lasts until `now`.
    #[must_use]
    pub fn is_live(&self, policy: SessionPolicy, now: Timestamp) -> bool {
        now.since(self.used_at) < policy.idle && now.since(self.began_at) < policy.longest
    }

    /// Whether it speaks for `operator`, as they stand at `now`.
    #[must_use]
    pub fn speaks_for(&self, operator: &Operator, now: Timestamp) -> bool {
        self.operator_id == operator.operator_id
            && self.token_digest.matches(&operator.token_digest)
            && operator.is_live(now)
    }

    /// Whether its use at `now` is to be written down.
    #[must_use]
    pub fn is_to_be_noted(&self, now: Timestamp) -> bool {
        now.since(self.used_at) >= NOTED_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: SessionPolicy = SessionPolicy {
        idle: Seconds(600),
        longest: Seconds(3_600),
    };

    fn session(began_at: i64, used_at: i64) -> Session {
        Session {
            digest: SecretDigest::from_bytes([1; 32]),
            operator_id: "aaaaaaaaaaaa".parse().unwrap(),
            token_digest: SecretDigest::from_bytes([2; 32]),
            source: [192, 0, 2, 1].into(),
            began_at: Timestamp::from_seconds(began_at),
            used_at: Timestamp::from_seconds(used_at),
        }
    }

    #[test]
    fn a_session_lasts_until_it_is_idle_or_old() {
        let live = |used_at, now| session(10_000, used_at).is_live(POLICY, Timestamp::from_seconds(now));
        assert!(live(10_000, 10_599) && !live(10_000, 10_600), "idle");
        assert!(
            live(13_500, 13_599) && !live(13_599, 13_600),
            "old, however lately it was used"
        );
        assert!(live(10_000, 9_000), "by a clock that went back");
    }

    #[test]
    fn its_use_is_written_down_once_a_minute() {
        let noted = |now| session(10_000, 10_000).is_to_be_noted(Timestamp::from_seconds(now));
        assert_eq!([9_000, 10_000, 10_059, 10_060].map(noted), [false, false, false, true]);
    }
}
