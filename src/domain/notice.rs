//! Notices: what operators are told before it happens. So far, that a secret or a client is about to end.
//!
//! A notice is about one thing, one end of it and one threshold. These three make it one of its kind: whoever moves the end
//! makes room for new notices, and nothing else does.

use std::str::FromStr;

use serde::{Serialize, Serializer};

use super::client::ClientId;
use super::client_secret::SecretId;
use super::environment::Environment;
use super::invalid::Invalid;
use super::random;
use super::text::{PartnerId, text_type};
use super::time::{Milliseconds, Seconds, Timestamp};
use crate::ambient::Entropy;

/// The part of an id that tells the time: 50 bits of milliseconds, enough until the year 37 000.
const TIME_CHARACTERS: usize = 10;
/// The part of an id that is chance: 80 bits.
const RANDOM_CHARACTERS: usize = 16;

text_type! {
    /// The id of a notice. Ids sort by the time at which they were made, and are the same however often a notice is sent.
    NoticeId
}

impl NoticeId {
    /// A new one.
    #[must_use]
    pub fn mint(now: Milliseconds, entropy: &dyn Entropy) -> Self {
        let time = random::base32_of(now.0.unsigned_abs(), TIME_CHARACTERS);
        Self((time + &random::base32(entropy, RANDOM_CHARACTERS)).into())
    }
}

impl FromStr for NoticeId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if random::is_base32(text, TIME_CHARACTERS + RANDOM_CHARACTERS) {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not the id of a notice"))
        }
    }
}

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// A client secret ends soon.
    SecretExpiring,
    /// A client ends soon.
    ClientExpiring,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SecretExpiring, Self::ClientExpiring];

    /// The word in JSON and SQL; the `type` of a webhook.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretExpiring => "secret.expiring",
            Self::ClientExpiring => "client.expiring",
        }
    }
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind")]
pub enum NoticeSubject {
    /// One secret of the client.
    #[serde(rename = "secret.expiring")]
    Secret {
        /// Which.
        secret_id: SecretId,
    },
    /// The client itself.
    #[serde(rename = "client.expiring")]
    Client,
}

impl NoticeSubject {
    /// What is said of it.
    #[must_use]
    pub const fn kind(&self) -> NoticeKind {
        match self {
            Self::Secret { .. } => NoticeKind::SecretExpiring,
            Self::Client => NoticeKind::ClientExpiring,
        }
    }

    /// The secret, if it is one.
    #[must_use]
    pub const fn secret_id(&self) -> Option<&SecretId> {
        match self {
            Self::Secret { secret_id } => Some(secret_id),
            Self::Client => None,
        }
    }
}

/// How long before an end there is a notice of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Threshold {
    /// A day.
    OneDay,
    /// A week.
    SevenDays,
    /// Two weeks.
    FourteenDays,
    /// Thirty days.
    ThirtyDays,
}

impl Threshold {
    /// All of them, the nearest to the end first.
    pub const ALL: [Self; 4] = [Self::OneDay, Self::SevenDays, Self::FourteenDays, Self::ThirtyDays];

    /// In days.
    #[must_use]
    pub const fn days(self) -> u32 {
        match self {
            Self::OneDay => 1,
            Self::SevenDays => 7,
            Self::FourteenDays => 14,
            Self::ThirtyDays => 30,
        }
    }

    /// The ends of which there is to be this notice at `now`, and no nearer one. The spans of all thresholds lie side by side, so
    /// each end that is near lies in one, however many thresholds were passed since somebody last looked.
    #[must_use]
    pub fn span(self, now: Timestamp) -> Span {
        let nearer = Self::ALL.into_iter().rev().find(|other| *other < self);
        let days = |threshold: Self| Seconds::from_days(threshold.days());
        Span {
            after: nearer.map_or(now, |nearer| now + days(nearer)),
            until: now + days(self),
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.days())
    }
}

/// A span of time: its beginning is not part of it, its end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub after: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
}

impl Span {
    /// The same in pieces of a day at the most, one after the other.
    pub fn by_day(self) -> impl Iterator<Item = Self> {
        let mut begin = self.after;
        std::iter::from_fn(move || {
            let after = begin;
            begin = self.until.min(after + Seconds::from_days(1));
            (after < self.until).then_some(Self { after, until: begin })
        })
    }

    /// Whether `moment` lies in it.
    #[must_use]
    pub fn holds(&self, moment: Timestamp) -> bool {
        self.after < moment && moment <= self.until
    }
}

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What it is.
    pub subject: NoticeSubject,
    /// The client, or whose secret it is.
    pub client_id: ClientId,
    /// Whose client it is; `None` for an API's.
    pub partner_id: Option<PartnerId>,
    /// Where it works.
    pub environment: Environment,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Ending {
    /// The id by which the subject is known among those of its kind.
    #[must_use]
    pub fn subject_id(&self) -> &str {
        match &self.subject {
            NoticeSubject::Secret { secret_id } => secret_id.as_str(),
            NoticeSubject::Client => self.client_id.as_str(),
        }
    }

    /// Its place in a list: the end, and the id of the subject.
    #[must_use]
    pub fn key(&self) -> (Timestamp, String) {
        (self.expires_at, self.subject_id().to_owned())
    }
}

/// A notice. In JSON it is what the admin API shows and what a webhook carries: ids and times, no secret and no person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its id.
    pub notice_id: NoticeId,
    /// What it is about.
    #[serde(flatten)]
    pub subject: NoticeSubject,
    /// Where that works.
    pub environment: Environment,
    /// Whose client it is; `None` for an API's.
    pub partner_id: Option<PartnerId>,
    /// The client, or whose secret it is.
    pub client_id: ClientId,
    /// The threshold that was passed, in days.
    #[serde(rename = "days")]
    pub threshold: Threshold,
    /// When the subject ends.
    pub expires_at: Timestamp,
    /// When the notice was raised.
    pub raised_at: Timestamp,
}

impl Notice {
    /// The notice that `ending` is nearer than `threshold`.
    #[must_use]
    pub fn raise(ending: Ending, threshold: Threshold, (now, entropy): (Milliseconds, &dyn Entropy)) -> Self {
        Self {
            notice_id: NoticeId::mint(now, entropy),
            subject: ending.subject,
            environment: ending.environment,
            partner_id: ending.partner_id,
            client_id: ending.client_id,
            threshold,
            expires_at: ending.expires_at,
            raised_at: now.second(),
        }
    }

    /// What it is about, as it was when the notice was raised.
    #[must_use]
    pub fn ending(&self) -> Ending {
        Ending {
            subject: self.subject.clone(),
            client_id: self.client_id.clone(),
            partner_id: self.partner_id.clone(),
            environment: self.environment,
            expires_at: self.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    #[test]
    fn an_id_begins_with_its_time_and_reads_back() {
        // 2^40 milliseconds are digit 1 followed by eight digits 0 in base 32, and one 0 before: 10 characters.
        let id = NoticeId::mint(Milliseconds(1 << 40), &Constant(0));
        assert_eq!(id.as_str(), "01000000000000000000000000");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        let later = NoticeId::mint(Milliseconds((1 << 40) + 1), &Constant(0));
        assert!(id < later && later.as_str().starts_with("0100000001"));
        for bad in ["", "0100000000000000000000000", "0100000000000000000000000u"] {
            assert!(bad.parse::<NoticeId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn each_end_that_is_near_lies_in_the_span_of_its_nearest_threshold_alone() {
        let day = 86_400;
        for (left, nearest) in [
            (-1, None),
            (0, None),
            (1, Some(1)),
            (day, Some(1)),
            (day + 1, Some(7)),
            (5 * day, Some(7)),
            (7 * day, Some(7)),
            (7 * day + 1, Some(14)),
            (14 * day, Some(14)),
            (14 * day + 1, Some(30)),
            (30 * day, Some(30)),
            (30 * day + 1, None),
        ] {
            let end = Timestamp::from_seconds(NOW.seconds() + left);
            let holding: Vec<u32> = Threshold::ALL
                .into_iter()
                .filter(|threshold| threshold.span(NOW).holds(end))
                .map(Threshold::days)
                .collect();
            assert_eq!(holding, Vec::from_iter(nearest), "{left} seconds left");
        }
    }

    #[test]
    fn a_notice_is_written_with_ids_and_times() {
        let mut ending = Ending {
            subject: NoticeSubject::Secret {
                secret_id: "0123456789abcdef".parse().unwrap(),
            },
            client_id: "qa-acme-0000000000".parse().unwrap(),
            partner_id: Some("acme".parse().unwrap()),
            environment: Environment::Qa,
            expires_at: NOW,
        };
        let raise = |ending| Notice::raise(ending, Threshold::SevenDays, (Milliseconds(1_500), &Constant(1)));
        let notice = raise(ending.clone());
        assert_eq!(notice.ending(), ending);
        assert_eq!(
            serde_json::to_value(&notice).unwrap(),
            serde_json::json!({
                "notice_id": "00000001ew1111111111111111",
                "kind": "secret.expiring",
                "secret_id": "0123456789abcdef",
                "environment": "qa",
                "partner_id": "acme",
                "client_id": "qa-acme-0000000000",
                "days": 7,
                "expires_at": "2027-01-15T08:00:00Z",
                "raised_at": "1970-01-01T00:00:01Z",
            })
        );
        ending.subject = NoticeSubject::Client;
        let written = serde_json::to_value(raise(ending)).unwrap();
        assert_eq!(written["kind"], "client.expiring");
        assert!(written.get("secret_id").is_none());
    }
}
