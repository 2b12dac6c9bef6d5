//! Moments and durations. Seconds since 1970 everywhere, as in a JWT's `NumericDate` (RFC 7519 §2).

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::invalid::Invalid;

/// A moment, in whole seconds since 1970-01-01T00:00:00Z. In JSON it is an RFC 3339 text in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The last second of the year 9999: the largest moment that RFC 3339 can write.
const LAST_SECOND: i64 = 253_402_300_799;

impl Timestamp {
    /// From whole seconds since 1970, cut to what RFC 3339 can write (years 1970 to 9999).
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        if seconds < 0 {
            Self(0)
        } else if seconds > LAST_SECOND {
            Self(LAST_SECOND)
        } else {
            Self(seconds)
        }
    }

    /// Whole seconds since 1970: a `NumericDate`.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// How long ago `earlier` was; zero when it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Seconds {
        Seconds(u32::try_from(self.0.saturating_sub(earlier.0).max(0)).unwrap_or(u32::MAX))
    }
}

/// How far two clocks are taken to be off: ours from a verifier's, one replica's from another's.
pub const CLOCK_SKEW: Seconds = Seconds(60);

impl Add<Seconds> for Timestamp {
    type Output = Self;

    fn add(self, seconds: Seconds) -> Self {
        Self::from_seconds(self.0 + i64::from(seconds.0))
    }
}

impl Sub<Seconds> for Timestamp {
    type Output = Self;

    fn sub(self, seconds: Seconds) -> Self {
        Self::from_seconds(self.0 - i64::from(seconds.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp(self.0, 0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Secs, true))
    }
}

impl FromStr for Timestamp {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let moment = DateTime::parse_from_rfc3339(text)
            .map_err(|_| Invalid::new("is not an RFC 3339 time such as 2030-01-31T12:00:00Z"))?;
        if (0..=LAST_SECOND).contains(&moment.timestamp()) {
            Ok(Self(moment.timestamp()))
        } else {
            Err(Invalid::new("lies outside the years 1970 to 9999"))
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(pub u32);

impl Seconds {
    /// So many days.
    #[must_use]
    pub const fn from_days(days: u32) -> Self {
        Self(days.saturating_mul(86_400))
    }

    /// The number alone.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// A moment in milliseconds since 1970: the journal's resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Milliseconds(pub i64);

impl Milliseconds {
    /// The whole second this moment lies in.
    #[must_use]
    pub const fn second(self) -> Timestamp {
        Timestamp::from_seconds(self.0.div_euclid(1000))
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_millis(self.0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_written_and_read_as_rfc_3339() {
        // 1 000 000 000 seconds after 1970 is a date every calendar table gives.
        let billion = Timestamp::from_seconds(1_000_000_000);
        assert_eq!(billion.to_string(), "2001-09-09T01:46:40Z");
        assert_eq!("2001-09-09T03:46:40+02:00".parse(), Ok(billion));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2001-09-09",
            "1969-12-31T23:59:59Z",
            "yesterday",
            "2001-13-01T00:00:00Z",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }

    #[test]
    fn durations_never_overflow_a_moment() {
        let last = Timestamp::from_seconds(i64::MAX);
        assert_eq!(last + Seconds(u32::MAX), last);
        assert_eq!(Timestamp::from_seconds(5) - Seconds(10), Timestamp::from_seconds(0));
        assert_eq!(Timestamp::from_seconds(5).since(last), Seconds(0));
    }
}
