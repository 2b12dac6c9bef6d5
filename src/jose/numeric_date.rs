//! `NumericDate` (RFC 7519 §2): a time claim is a number of seconds or it is refused, never taken for absent.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde::{Serialize, Serializer};

use crate::domain::Timestamp;

/// The value of `exp`, `nbf` or `iat`: whole seconds since 1970, no later than the year 9999.
///
/// JSON numbers that are whole, such as `1.3e9`, are read; fractions, negative numbers, texts and `null` are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NumericDate(pub Timestamp);

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.seconds())
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeSeconds)
    }
}

struct WholeSeconds;

impl Visitor<'_> for WholeSeconds {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of seconds since 1970")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<NumericDate, E> {
        let moment = Timestamp::from_seconds(seconds);
        // A moment that had to be cut to fit is not the one that was written.
        if moment.seconds() == seconds {
            Ok(NumericDate(moment))
        } else {
            Err(E::invalid_value(Unexpected::Signed(seconds), &self))
        }
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<NumericDate, E> {
        let seconds = i64::try_from(seconds).map_err(|_| E::invalid_value(Unexpected::Unsigned(seconds), &self))?;
        self.visit_i64(seconds)
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // Infinity and NaN have no fraction that is zero.
        if seconds.fract() != 0.0 {
            return Err(E::invalid_value(Unexpected::Float(seconds), &self));
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates, and a saturated number lies beyond the year 9999"
        )]
        self.visit_i64(seconds as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read() {
        for (json, seconds) in [
            ("0", 0),
            ("1300819380", 1_300_819_380),
            ("1300819380.0", 1_300_819_380),
            ("1.3e9", 1_300_000_000),
            ("253402300799", 253_402_300_799),
        ] {
            let read: NumericDate = serde_json::from_str(json).unwrap();
            assert_eq!(read, NumericDate(Timestamp::from_seconds(seconds)), "{json}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for json in [
            "null",
            "true",
            "\"1300819380\"",
            "\"\"",
            "[]",
            "[1300819380]",
            "{}",
            "-1",
            "-1.0",
            "-1e300",
            "1300819380.5",
            "253402300800",
            "9007199254740993.0",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e18",
            "1e308",
            "1e400",
            "NaN",
            "Infinity",
        ] {
            assert!(serde_json::from_str::<NumericDate>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn it_is_written_as_an_integer() {
        let date = NumericDate(Timestamp::from_seconds(1_300_819_380));
        assert_eq!(serde_json::to_string(&date).unwrap(), "1300819380");
    }
}
