//! Plans: how many tokens a partner, and each of its clients, may obtain.
//!
//! A rate bounds tokens in a second, a quota tokens in a day or a month. Every number counts for one environment, so that nothing
//! done in QA takes from what Production may have.

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::invalid::Invalid;
use super::meter::Period;
use super::partner::Partner;
use super::text::PartnerId;

/// What a partner and its clients may obtain, in each environment. It holds for the partner's sub-accounts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What becomes of a quota that is used up.
    pub quota_mode: QuotaMode,
    /// What all clients of the partner and of its sub-accounts may obtain together.
    pub partner: Allowance,
    /// What each single client may obtain, unless it has an allowance of its own.
    pub client: Allowance,
}

/// What becomes of a quota that is used up. Rates are always enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaMode {
    /// Nothing is counted.
    Off,
    /// It is counted and reported, and nobody is refused.
    Observe,
    /// It is counted, and whoever has used it up is refused until the next window.
    Enforce,
}

impl QuotaMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Observe, Self::Enforce];

    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

/// How many tokens somebody may obtain, in each environment. What is absent is not bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Members", into = "Members")]
pub struct Allowance {
    /// In a second.
    pub rate: Option<Rate>,
    /// In a day, which begins at midnight UTC.
    pub tokens_per_day: Option<TokenCount>,
    /// In a month, which begins at midnight UTC of its first day.
    pub tokens_per_month: Option<TokenCount>,
}

impl Allowance {
    /// No bounds at all.
    pub const UNBOUNDED: Self = Self {
        rate: None,
        tokens_per_day: None,
        tokens_per_month: None,
    };
}

impl Allowance {
    /// What it says of days and of months.
    pub fn quotas(&self) -> impl Iterator<Item = (Period, u64)> + use<> {
        let day = self.tokens_per_day.map(|limit| (Period::Day, limit.get().get()));
        let month = self.tokens_per_month.map(|limit| (Period::Month, limit.get().get()));
        day.into_iter().chain(month)
    }
}

/// How fast tokens may be obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// As many a second, in the long run.
    pub tokens_per_second: Pace,
    /// As many at once after a pause.
    pub burst: Pace,
}

/// A number of tokens in a second or at once: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Pace(NonZeroU32);

impl Pace {
    /// More than any machine signs.
    pub const MOST: u64 = 1_000_000;

    /// The number.
    #[must_use]
    pub const fn get(self) -> NonZeroU32 {
        self.0
    }
}

impl TryFrom<u64> for Pace {
    type Error = Invalid;

    fn try_from(number: u64) -> Result<Self, Invalid> {
        let bounded = u32::try_from(number).ok().filter(|_| number <= Self::MOST);
        let pace = bounded.and_then(NonZeroU32::new).map(Self);
        pace.ok_or_else(|| Invalid::new("must be between 1 and 1000000"))
    }
}

impl From<Pace> for u64 {
    fn from(pace: Pace) -> Self {
        pace.0.get().into()
    }
}

/// A number of tokens in a day or a month: 1 to 1,000,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct TokenCount(NonZeroU64);

impl TokenCount {
    /// More than the fastest rate comes to in a week; every JSON reader knows such a number exactly.
    pub const MOST: u64 = 1_000_000_000_000;

    /// The number.
    #[must_use]
    pub const fn get(self) -> NonZeroU64 {
        self.0
    }
}

impl TryFrom<u64> for TokenCount {
    type Error = Invalid;

    fn try_from(number: u64) -> Result<Self, Invalid> {
        let count = NonZeroU64::new(number).filter(|_| number <= Self::MOST).map(Self);
        count.ok_or_else(|| Invalid::new("must be between 1 and 1000000000000"))
    }
}

impl From<TokenCount> for u64 {
    fn from(count: TokenCount) -> Self {
        count.0.get()
    }
}

/// An allowance as it stands in JSON: flat, every member there, null for what is not bounded.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    tokens_per_second: Option<Pace>,
    burst: Option<Pace>,
    tokens_per_day: Option<TokenCount>,
    tokens_per_month: Option<TokenCount>,
}

impl Rate {
    /// From what is said of it: a burst that is not said is one second's tokens.
    ///
    /// # Errors
    /// When there is a burst and nothing it could be the burst of.
    pub fn of(tokens_per_second: Option<Pace>, burst: Option<Pace>) -> Result<Option<Self>, Invalid> {
        match (tokens_per_second, burst) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Invalid::new("needs tokens_per_second")),
            (Some(tokens_per_second), burst) => Ok(Some(Self {
                tokens_per_second,
                burst: burst.unwrap_or(tokens_per_second),
            })),
        }
    }
}

impl TryFrom<Members> for Allowance {
    type Error = Invalid;

    fn try_from(members: Members) -> Result<Self, Invalid> {
        Ok(Self {
            rate: Rate::of(members.tokens_per_second, members.burst)?,
            tokens_per_day: members.tokens_per_day,
            tokens_per_month: members.tokens_per_month,
        })
    }
}

impl From<Allowance> for Members {
    fn from(allowance: Allowance) -> Self {
        Self {
            tokens_per_second: allowance.rate.map(|rate| rate.tokens_per_second),
            burst: allowance.rate.map(|rate| rate.burst),
            tokens_per_day: allowance.tokens_per_day,
            tokens_per_month: allowance.tokens_per_month,
        }
    }
}

/// What bounds the tokens of one client: the partner's plan, and the client's own allowance where it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What becomes of a quota that is used up.
    pub quota_mode: QuotaMode,
    /// Whose budget the client shares: its partner, or the parent of that.
    pub payer: PartnerId,
    /// What all clients of the payer and of its sub-accounts may obtain together.
    pub partner: Allowance,
    /// What this client may obtain.
    pub client: Allowance,
}

impl Limits {
    /// What bounds `client`, whose `partners` are its own and that partner's parent; `None` when nothing does. Without a plan a
    /// client's own quotas are enforced: they were asked for.
    #[must_use]
    pub fn of(client: &Client, partners: &[Partner]) -> Option<Self> {
        let payer = partners.last()?;
        let plan = payer.plan.as_deref();
        let own = client.limits.as_deref().or(plan.map(|plan| &plan.client));
        let limits = Self {
            quota_mode: plan.map_or(QuotaMode::Enforce, |plan| plan.quota_mode),
            payer: payer.partner_id.clone(),
            partner: plan.map_or(Allowance::UNBOUNDED, |plan| plan.partner),
            client: own.copied().unwrap_or(Allowance::UNBOUNDED),
        };
        let bounds = limits.partner != Allowance::UNBOUNDED || limits.client != Allowance::UNBOUNDED;
        bounds.then_some(limits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Result<Plan, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_plan_is_read_as_people_write_it() {
        let plan = read(
            r#"{"quota_mode":"enforce","partner":{"tokens_per_second":50,"burst":100,"tokens_per_day":100000,
                "tokens_per_month":2000000},"client":{"tokens_per_second":5}}"#,
        )
        .unwrap();
        let rate = plan.partner.rate.unwrap();
        assert_eq!((u64::from(rate.tokens_per_second), u64::from(rate.burst)), (50, 100));
        assert_eq!(plan.partner.tokens_per_day.map(u64::from), Some(100_000));
        assert_eq!(plan.partner.tokens_per_month.map(u64::from), Some(2_000_000));
        let rate = plan.client.rate.unwrap();
        assert_eq!((u64::from(rate.tokens_per_second), u64::from(rate.burst)), (5, 5));
        assert_eq!(plan.client.tokens_per_day, None);
    }

    #[test]
    fn what_bounds_nothing_or_everything_is_no_plan() {
        for allowance in [
            r#"{"tokens_per_second":0}"#,
            r#"{"tokens_per_second":1000001}"#,
            r#"{"tokens_per_second":-1}"#,
            r#"{"tokens_per_second":0.5}"#,
            r#"{"burst":1}"#,
            r#"{"tokens_per_second":1,"burst":0}"#,
            r#"{"tokens_per_day":0}"#,
            r#"{"tokens_per_day":1000000000001}"#,
            r#"{"tokens_per_month":18446744073709551616}"#,
            r#"{"tokens_per_year":1}"#,
        ] {
            let json = format!(r#"{{"quota_mode":"off","partner":{allowance},"client":{{}}}}"#);
            assert!(read(&json).is_err(), "{json}");
        }
        assert!(read(r#"{"quota_mode":"on","partner":{},"client":{}}"#).is_err());
        assert!(read(r#"{"partner":{},"client":{}}"#).is_err());
    }

    prop_compose! {
        fn rate()(second in 1..=1_000_000u64, burst in 1..=1_000_000u64) -> Rate {
            Rate { tokens_per_second: second.try_into().unwrap(), burst: burst.try_into().unwrap() }
        }
    }

    prop_compose! {
        fn allowance()(
            rate in proptest::option::of(rate()),
            day in proptest::option::of(1..=1_000_000_000_000u64),
            month in proptest::option::of(1..=1_000_000_000_000u64),
        ) -> Allowance {
            let count = |number: u64| TokenCount::try_from(number).unwrap();
            Allowance { rate, tokens_per_day: day.map(count), tokens_per_month: month.map(count) }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            partner in allowance(), client in allowance(), mode in proptest::sample::select(&QuotaMode::ALL)
        ) {
            let plan = Plan { quota_mode: mode, partner, client };
            let json = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(read(&json), Ok(plan));
        }

        #[test]
        fn a_number_is_kept_or_refused_and_never_cut(number in any::<u64>()) {
            prop_assert_eq!(
                Pace::try_from(number).ok().map(u64::from),
                (1..=1_000_000).contains(&number).then_some(number)
            );
            prop_assert_eq!(
                TokenCount::try_from(number).ok().map(u64::from),
                (1..=1_000_000_000_000).contains(&number).then_some(number)
            );
        }
    }
}
