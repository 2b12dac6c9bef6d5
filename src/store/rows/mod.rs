//! Rows and nouns, turned into each other. A row that is no noun is corrupt: the error names table and column, never a value.

mod credentials;
mod directory;
mod journal;
mod notices;
mod sessions;
mod usage;

use std::str::FromStr;

pub(super) use credentials::{IdempotencyRow, OperatorRow, RevokedEndRow, RevokedTokenRow, SecretRow, SigningKeyRow};
pub(super) use directory::{ApiRow, ClientRow, PartnerRow};
pub(super) use journal::JournalRow;
pub(super) use notices::{DeliveryRow, EndingRow, NoticeRow};
pub(super) use sessions::SessionRow;
pub(super) use usage::UsageSums;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;
use crate::domain::{Scope, Seconds, Timestamp};

/// Reads the columns of one table.
#[derive(Clone, Copy)]
struct Columns(&'static str);

impl Columns {
    fn corrupt(self, column: &'static str) -> StoreError {
        StoreError::Corrupt(format!("a row of {} has an unreadable {column}", self.0))
    }

    fn text<T: FromStr>(self, column: &'static str, text: &str) -> Result<T, StoreError> {
        text.parse().map_err(|_| self.corrupt(column))
    }

    fn optional_text<T: FromStr>(self, column: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError> {
        text.map(|text| self.text(column, text)).transpose()
    }

    /// One word of a closed set.
    fn word<T: Copy>(
        self,
        column: &'static str,
        text: &str,
        (all, word): (&[T], fn(T) -> &'static str),
    ) -> Result<T, StoreError> {
        let found = all.iter().copied().find(|value| word(*value) == text);
        found.ok_or_else(|| self.corrupt(column))
    }

    /// A set, its members separated by single spaces; the empty text is the empty set.
    fn set<T: FromStr, C: FromIterator<T>>(self, column: &'static str, text: &str) -> Result<C, StoreError> {
        if text.is_empty() {
            return Ok(std::iter::empty().collect());
        }
        text.split(' ').map(|member| self.text(column, member)).collect()
    }

    /// A value kept as JSON.
    fn json<T: DeserializeOwned>(self, column: &'static str, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|_| self.corrupt(column))
    }

    fn scope(self, column: &'static str, text: &str) -> Result<Scope, StoreError> {
        self.set(column, text)
    }

    fn moment(self, column: &'static str, seconds: i64) -> Result<Timestamp, StoreError> {
        let moment = Timestamp::from_seconds(seconds);
        // A time outside the calendar would be cut to fit; what was written never is.
        if moment.seconds() == seconds {
            Ok(moment)
        } else {
            Err(self.corrupt(column))
        }
    }

    fn duration(self, column: &'static str, seconds: i64) -> Result<Seconds, StoreError> {
        u32::try_from(seconds).map(Seconds).map_err(|_| self.corrupt(column))
    }

    fn optional_moment(self, column: &'static str, seconds: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
        seconds.map(|seconds| self.moment(column, seconds)).transpose()
    }

    fn digest(self, column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
        bytes.try_into().map_err(|_| self.corrupt(column))
    }
}

/// A value as JSON.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("the nouns have text keys and no failing serializer")
}

/// A set as one text.
fn spaced<T: ToString>(members: impl IntoIterator<Item = T>) -> String {
    let members: Vec<String> = members.into_iter().map(|member| member.to_string()).collect();
    members.join(" ")
}

fn seconds(moment: Option<Timestamp>) -> Option<i64> {
    moment.map(Timestamp::seconds)
}
