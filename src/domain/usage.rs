//! Usage: what became of the token requests of each client, by hour, day and month.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

use super::client::ClientId;
use super::client_secret::SecretId;
use super::environment::Environment;
use super::invalid::Invalid;
use super::random;
use super::scope::Scope;
use super::text::{PartnerId, text_type};
use super::time::Timestamp;
use crate::ambient::Entropy;

/// The longest scope that is counted under its own name, in characters: an index takes it whole on every engine.
const LONGEST_COUNTED_SCOPE: usize = 1024;

/// Why a client that exists was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TokenRefusal {
    /// None of its secrets is the one presented.
    WrongSecret,
    /// The secret was right once, or will be.
    SecretOutsideWindow,
    /// The client or a partner above it is not active.
    Inactive,
    /// It authenticated in another way than it is registered for.
    WrongMethod,
    /// Its secret came from where it may not come from.
    WrongSource,
    /// It asked too often, or failed too often.
    Limited,
    /// RFC 6749 §5.2.
    InvalidRequest,
    /// RFC 6749 §5.2.
    UnauthorizedClient,
    /// RFC 6749 §5.2.
    UnsupportedGrantType,
    /// RFC 6749 §5.2.
    InvalidScope,
    /// RFC 8707 §2.
    InvalidTarget,
    /// The server could not answer.
    Unavailable,
}

impl TokenRefusal {
    /// All of them, each at the index of its discriminant.
    pub const ALL: [Self; 12] = [
        Self::WrongSecret,
        Self::SecretOutsideWindow,
        Self::Inactive,
        Self::WrongMethod,
        Self::WrongSource,
        Self::Limited,
        Self::InvalidRequest,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::Unavailable,
    ];

    /// The word in JSON, CSV and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WrongSecret => "wrong_secret",
            Self::SecretOutsideWindow => "secret_outside_window",
            Self::Inactive => "inactive",
            Self::WrongMethod => "wrong_method",
            Self::WrongSource => "wrong_source",
            Self::Limited => "limited",
            Self::InvalidRequest => "invalid_request",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A token was issued.
    Issued,
    /// It was refused.
    Refused(TokenRefusal),
}

impl Outcome {
    /// The word in SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Refused(refusal) => refusal.as_str(),
        }
    }
}

/// The scopes of a token as they are counted: their text (RFC 6749 §3.3), or [`CountedScope::other`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountedScope(Box<str>);

impl CountedScope {
    /// What stands for all sets beyond a bound. The quotation marks can stand in no scope token.
    const OTHER: &'static str = "\"other\"";

    /// The scope of a token, of whose text this is the canonical form.
    #[must_use]
    pub fn of(scope: &str) -> Self {
        if scope.len() > LONGEST_COUNTED_SCOPE {
            Self::other()
        } else {
            Self(scope.into())
        }
    }

    /// Any scope that is too long, or one too many, to be counted under its own name.
    #[must_use]
    pub fn other() -> Self {
        Self(Self::OTHER.into())
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CountedScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for CountedScope {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text == Self::OTHER {
            Ok(Self::other())
        } else {
            text.parse::<Scope>().map(|_| Self(text.into()))
        }
    }
}

impl TryFrom<String> for CountedScope {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<CountedScope> for String {
    fn from(scope: CountedScope) -> Self {
        scope.0.into()
    }
}

/// A length of time by which usage is summed, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From the first of a month to the first of the next.
    Month,
}

impl Granularity {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Month];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// When the hour, day or month began in which `at` lies.
    #[must_use]
    pub fn begin(self, at: Timestamp) -> Timestamp {
        let seconds = at.seconds();
        match self {
            Self::Hour => Timestamp::from_seconds(seconds - seconds % 3600),
            Self::Day => Timestamp::from_seconds(seconds - seconds % 86_400),
            Self::Month => {
                let day =
                    DateTime::<Utc>::from_timestamp(seconds, 0).map_or(NaiveDate::MIN, |moment| moment.date_naive());
                let first = day.with_day(1).unwrap_or(day).and_time(NaiveTime::MIN);
                Timestamp::from_seconds(first.and_utc().timestamp())
            }
        }
    }
}

/// A number of requests of one client that ended alike in one hour.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UsageCount {
    /// When the hour began.
    pub hour: Timestamp,
    /// Where.
    pub environment: Environment,
    /// Whose client; none for a resource server.
    pub partner_id: Option<PartnerId>,
    /// Which client.
    pub client_id: ClientId,
    /// What was granted; none where nothing was.
    pub scope: Option<CountedScope>,
    /// What became of them.
    pub outcome: Outcome,
    /// How many.
    pub requests: u64,
}

/// When a secret was last used, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// Which secret.
    pub secret_id: SecretId,
    /// When.
    pub at: Timestamp,
    /// The address of the peer, or the one a trusted proxy gave for it.
    pub source: IpAddr,
}

text_type! {
    /// Who counts: a name that each start of a replica takes for itself.
    UsageWriter
}

/// Characters in the name of a writer: 80 random bits.
const WRITER_CHARACTERS: usize = 16;

impl UsageWriter {
    /// A new name.
    #[must_use]
    pub fn mint(entropy: &dyn Entropy) -> Self {
        Self(random::base32(entropy, WRITER_CHARACTERS).into())
    }
}

impl FromStr for UsageWriter {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if random::is_base32(text, WRITER_CHARACTERS) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not the name of a writer"))
        }
    }
}

/// What one writer counted, to be added to the store once. A writer numbers its batches from 1 and sends none before the store has the
/// one before it, so that the number alone tells whether a batch has come already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageBatch {
    /// Whose.
    pub writer: UsageWriter,
    /// Its number.
    pub sequence: i64,
    /// When the last of it happened.
    pub at: Timestamp,
    /// The counts.
    pub counts: Vec<UsageCount>,
    /// The last uses.
    pub uses: Vec<SecretUse>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_days_and_months_begin_where_the_calendar_says() {
        for (at, hour, day, month) in [
            (
                "2024-02-29T23:59:59Z",
                "2024-02-29T23:00:00Z",
                "2024-02-29T00:00:00Z",
                "2024-02-01T00:00:00Z",
            ),
            (
                "2024-03-01T00:00:00Z",
                "2024-03-01T00:00:00Z",
                "2024-03-01T00:00:00Z",
                "2024-03-01T00:00:00Z",
            ),
            (
                "1970-01-01T00:00:00Z",
                "1970-01-01T00:00:00Z",
                "1970-01-01T00:00:00Z",
                "1970-01-01T00:00:00Z",
            ),
            (
                "9999-12-31T23:59:59Z",
                "9999-12-31T23:00:00Z",
                "9999-12-31T00:00:00Z",
                "9999-12-01T00:00:00Z",
            ),
        ] {
            let begins = Granularity::ALL.map(|granularity| granularity.begin(at.parse().unwrap()).to_string());
            assert_eq!(begins, [hour, day, month], "{at}");
        }
    }

    #[test]
    fn a_scope_too_long_for_an_index_is_counted_with_others_and_no_scope_looks_like_them() {
        let long = vec!["x"; LONGEST_COUNTED_SCOPE].join(" ");
        assert_eq!(CountedScope::of(&long), CountedScope::other());
        assert_eq!(CountedScope::of("read write").as_str(), "read write");
        assert!(CountedScope::OTHER.parse::<Scope>().is_err());
        assert_eq!(CountedScope::OTHER.parse(), Ok(CountedScope::other()));
        assert!("".parse::<CountedScope>().is_err());
    }

    #[test]
    fn every_refusal_stands_at_its_index_under_a_word_of_its_own() {
        for (index, refusal) in TokenRefusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index);
            assert!(
                TokenRefusal::ALL[..index]
                    .iter()
                    .all(|other| other.as_str() != refusal.as_str())
            );
            assert_ne!(refusal.as_str(), Outcome::Issued.as_str());
        }
    }
}
