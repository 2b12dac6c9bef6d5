//! Meters: how many tokens one holder obtained in one window of time. A quota is a bound on a meter.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde::Serialize;

use super::client::ClientId;
use super::environment::Environment;
use super::limit::Limit;
use super::text::PartnerId;
use super::time::{Seconds, Timestamp};

/// How long a quota counts before it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight to midnight, UTC.
    Day,
    /// From the first of a month to the first of the next, UTC.
    Month,
}

impl Period {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Day, Self::Month];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The longest it can be.
    #[must_use]
    pub const fn longest(self) -> Seconds {
        Seconds::from_days(match self {
            Self::Day => 1,
            Self::Month => 31,
        })
    }
}

/// One turn of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    period: Period,
    start: Timestamp,
    end: Timestamp,
}

impl Window {
    /// The window of `period` that `now` lies in.
    #[must_use]
    pub fn of(period: Period, now: Timestamp) -> Self {
        let today = DateTime::<Utc>::from_timestamp(now.seconds(), 0)
            .unwrap_or_default()
            .date_naive();
        let first = match period {
            Period::Day => today,
            Period::Month => today - Days::new(today.day0().into()),
        };
        let next = match period {
            Period::Day => first + Days::new(1),
            Period::Month => first + Months::new(1),
        };
        Self {
            period,
            start: midnight(first),
            end: midnight(next),
        }
    }

    /// What it is a turn of.
    #[must_use]
    pub const fn period(&self) -> Period {
        self.period
    }

    /// Its first second.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        self.start
    }

    /// The first second after it.
    #[must_use]
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// Whether `now` lies in it.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        (self.start..self.end).contains(&now)
    }
}

fn midnight(day: NaiveDate) -> Timestamp {
    Timestamp::from_seconds(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

/// Whose tokens are counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MeterHolder {
    /// Those of all clients of a partner and of its sub-accounts.
    Partner(PartnerId),
    /// Those of one client.
    Client(ClientId),
}

impl MeterHolder {
    /// The word in SQL, and the first half of the quota's name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Partner(_) => "partner",
            Self::Client(_) => "client",
        }
    }

    /// The quota of this holder for this period.
    #[must_use]
    pub const fn quota(&self, period: Period) -> Limit {
        match (self, period) {
            (Self::Client(_), Period::Day) => Limit::ClientDay,
            (Self::Client(_), Period::Month) => Limit::ClientMonth,
            (Self::Partner(_), Period::Day) => Limit::PartnerDay,
            (Self::Partner(_), Period::Month) => Limit::PartnerMonth,
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Partner(partner_id) => partner_id.as_str(),
            Self::Client(client_id) => client_id.as_str(),
        }
    }
}

/// What is counted in one row: one holder's tokens of one environment in one window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Meter {
    /// Whose.
    pub holder: MeterHolder,
    /// Where.
    pub environment: Environment,
    /// When.
    pub window: Window,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn windows_begin_and_end_at_midnight_utc() {
        for (period, now, start, end) in [
            (
                Period::Day,
                "2026-11-22T02:06:28Z",
                "2026-11-22T00:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                Period::Day,
                "2026-11-22T00:00:00Z",
                "2026-11-22T00:00:00Z",
                "2026-11-23T00:00:00Z",
            ),
            (
                Period::Day,
                "2026-12-31T23:59:59Z",
                "2026-12-31T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2026-11-22T02:06:28Z",
                "2026-11-01T00:00:00Z",
                "2026-12-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                Period::Month,
                "2028-02-29T12:00:00Z",
                "2028-02-01T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
        ] {
            let window = Window::of(period, at(now));
            assert_eq!(
                (window.start(), window.end()),
                (at(start), at(end)),
                "{period:?} of {now}"
            );
            assert!(window.holds(at(now)) && !window.holds(at(end)), "{now}");
        }
    }

    #[test]
    fn the_last_window_of_time_is_cut_and_not_lost() {
        let last = at("9999-12-31T23:59:59Z");
        for period in Period::ALL {
            assert!(Window::of(period, last).start() < last);
        }
    }
}
