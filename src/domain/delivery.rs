//! The sending of a notice: how far it has come, and when it is tried again. No IO, no time, no chance of its own.

use serde::Serialize;

use super::notice::Notice;
use super::time::{Seconds, Timestamp};

/// The delay after the first attempt that failed. It doubles with each further one.
const FIRST_DELAY: u32 = 30;
/// The longest delay, whatever the receiver asks for: six hours, in seconds.
const LONGEST_DELAY: u32 = 6 * 3600;
/// For how long after it was raised a notice is tried.
const TRIED_FOR: Seconds = Seconds::from_days(3);

/// How far the sending of a notice has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "delivery", rename_all = "snake_case")]
pub enum Delivery {
    /// There was no address when it was raised.
    None,
    /// It is to be sent.
    Waiting {
        /// How often it was tried, an attempt under way included.
        attempts: u32,
        /// When it is tried next. While an attempt is under way: when that attempt counts as lost.
        next_attempt_at: Timestamp,
    },
    /// The receiver has it.
    Delivered {
        /// How often it was tried.
        attempts: u32,
        /// When the receiver answered.
        settled_at: Timestamp,
    },
    /// It was tried for as long as there was any use in it.
    GivenUp {
        /// How often it was tried.
        attempts: u32,
        /// When it was tried last.
        settled_at: Timestamp,
    },
}

/// The word for how far a sending has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// There was no address.
    None,
    /// It is to be sent.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// It is not tried any more.
    GivenUp,
}

impl DeliveryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::None, Self::Waiting, Self::Delivered, Self::GivenUp];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }
}

impl Delivery {
    /// The word for it.
    #[must_use]
    pub const fn state(&self) -> DeliveryState {
        match self {
            Self::None => DeliveryState::None,
            Self::Waiting { .. } => DeliveryState::Waiting,
            Self::Delivered { .. } => DeliveryState::Delivered,
            Self::GivenUp { .. } => DeliveryState::GivenUp,
        }
    }
}

/// A notice and how far its sending has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeptNotice {
    /// The notice.
    #[serde(flatten)]
    pub notice: Notice,
    /// Its sending.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// What is known after an attempt that failed.
#[derive(Clone, Copy, Debug)]
pub struct FailedAttempt {
    /// When the notice was raised.
    pub raised_at: Timestamp,
    /// How often it was tried, this attempt included.
    pub attempts: u32,
    /// When it failed.
    pub at: Timestamp,
    /// How long the receiver asks to be left alone (RFC 9110 §10.2.3).
    pub retry_after: Option<Seconds>,
    /// A random number, which spreads the attempts of many notices.
    pub chance: u32,
}

impl FailedAttempt {
    /// What becomes of the notice: it waits for its delay and up to half as much again, or it is given up, since that would be later
    /// than three days after it was raised.
    #[must_use]
    pub fn outcome(&self) -> Delivery {
        let doublings = self.attempts.saturating_sub(1).min(16);
        let own = (FIRST_DELAY << doublings).min(LONGEST_DELAY);
        let asked = self.retry_after.map_or(0, |asked| asked.get().min(LONGEST_DELAY));
        let delay = own.max(asked);
        let next_attempt_at = self.at + Seconds(delay + self.chance % (delay / 2 + 1));
        let attempts = self.attempts;
        if next_attempt_at > self.raised_at + TRIED_FOR {
            Delivery::GivenUp {
                attempts,
                settled_at: self.at,
            }
        } else {
            Delivery::Waiting {
                attempts,
                next_attempt_at,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAISED: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn failed(attempts: u32, at: u32) -> FailedAttempt {
        FailedAttempt {
            raised_at: RAISED,
            attempts,
            at: RAISED + Seconds(at),
            retry_after: None,
            chance: 0,
        }
    }

    fn delay(failed: FailedAttempt) -> Option<u32> {
        match failed.outcome() {
            Delivery::Waiting { next_attempt_at, .. } => Some(next_attempt_at.since(failed.at).get()),
            Delivery::None | Delivery::Delivered { .. } | Delivery::GivenUp { .. } => None,
        }
    }

    #[test]
    fn the_delay_doubles_up_to_six_hours() {
        let delays: Vec<_> = [1, 2, 3, 4, 9, 10, 11, 12, 40, u32::MAX]
            .map(|n| delay(failed(n, 0)).unwrap())
            .into();
        assert_eq!(delays, [30, 60, 120, 240, 7680, 15_360, 21_600, 21_600, 21_600, 21_600]);
    }

    #[test]
    fn chance_adds_up_to_half_of_the_delay() {
        for chance in [0, 1, 14, 15, 16, 1_000_003, u32::MAX] {
            let delay = delay(FailedAttempt { chance, ..failed(1, 0) }).unwrap();
            assert_eq!(delay, 30 + chance % 16, "{chance}");
        }
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_but_not_for_less_and_not_for_days() {
        for (asked, expected) in [(0, 30), (29, 30), (31, 31), (21_600, 21_600), (604_800, 21_600)] {
            let retry_after = Some(Seconds(asked));
            assert_eq!(
                delay(FailedAttempt {
                    retry_after,
                    ..failed(1, 0)
                }),
                Some(expected),
                "{asked}"
            );
        }
    }

    #[test]
    fn three_days_after_it_was_raised_it_is_given_up() {
        let three_days = 3 * 86_400;
        assert_eq!(delay(failed(14, three_days - 21_600)), Some(21_600));
        let last = failed(14, three_days - 21_599);
        assert_eq!(
            last.outcome(),
            Delivery::GivenUp {
                attempts: 14,
                settled_at: last.at
            }
        );
    }

    #[test]
    fn a_receiver_that_never_answers_is_tried_some_twenty_times() {
        let mut now = 0;
        let mut attempts = 1;
        while let Some(delay) = delay(failed(attempts, now)) {
            now += delay;
            attempts += 1;
        }
        // 30 s x (2^10 - 1) are 30 690 s, after which eleven attempts were made; (259 200 - 30 690) / 21 600 leaves room for ten more.
        assert_eq!(attempts, 21);
    }
}
