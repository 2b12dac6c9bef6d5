//! What a partner or a client may obtain, as flags. Each is said whole, and replaces what was there.

use clap::Args;

use super::choice;
use crate::domain::{Allowance, Invalid, Pace, Plan, QuotaMode, Rate, TokenCount};

/// What somebody may obtain, in each environment.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = true)]
pub(super) struct AllowanceOptions {
    /// Tokens a second, in the long run, on each replica
    #[arg(long, value_name = "NUMBER", value_parser = pace)]
    tokens_per_second: Option<Pace>,
    /// Tokens at once after a pause [default: as many as in a second]
    #[arg(long, value_name = "NUMBER", value_parser = pace, requires = "tokens_per_second")]
    burst: Option<Pace>,
    /// Tokens a day, UTC
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    tokens_per_day: Option<TokenCount>,
    /// Tokens a calendar month, UTC
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    tokens_per_month: Option<TokenCount>,
}

/// A plan. The allowance without `client` in its flags is that of all clients together.
#[derive(Args, Clone, Copy, Debug)]
#[group(multiple = true)]
pub(super) struct PlanOptions {
    /// What becomes of a daily or monthly number that is used up [default: enforce]
    #[arg(long, value_parser = choice::quota_mode())]
    quota_mode: Option<QuotaMode>,
    #[command(flatten)]
    together: AllowanceOptions,
    /// Tokens a second of each single client
    #[arg(long, value_name = "NUMBER", value_parser = pace)]
    client_tokens_per_second: Option<Pace>,
    /// Tokens at once of each single client
    #[arg(long, value_name = "NUMBER", value_parser = pace, requires = "client_tokens_per_second")]
    client_burst: Option<Pace>,
    /// Tokens a day of each single client
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    client_tokens_per_day: Option<TokenCount>,
    /// Tokens a calendar month of each single client
    #[arg(long, value_name = "NUMBER", value_parser = count)]
    client_tokens_per_month: Option<TokenCount>,
}

impl AllowanceOptions {
    /// The names of its flags, for what cannot stand beside one of them.
    pub(super) const FLAGS: [&'static str; 4] = ["tokens_per_second", "burst", "tokens_per_day", "tokens_per_month"];

    /// The allowance, if any of it was said.
    pub(super) fn allowance(self) -> Option<Allowance> {
        let said = Allowance {
            rate: rate(self.tokens_per_second, self.burst),
            tokens_per_day: self.tokens_per_day,
            tokens_per_month: self.tokens_per_month,
        };
        (said != Allowance::UNBOUNDED).then_some(said)
    }
}

impl PlanOptions {
    /// The names of its flags, for what cannot stand beside one of them.
    pub(super) const FLAGS: [&'static str; 9] = [
        "quota_mode",
        "tokens_per_second",
        "burst",
        "tokens_per_day",
        "tokens_per_month",
        "client_tokens_per_second",
        "client_burst",
        "client_tokens_per_day",
        "client_tokens_per_month",
    ];

    /// The plan, if any of it was said.
    pub(super) fn plan(self) -> Option<Plan> {
        let client = AllowanceOptions {
            tokens_per_second: self.client_tokens_per_second,
            burst: self.client_burst,
            tokens_per_day: self.client_tokens_per_day,
            tokens_per_month: self.client_tokens_per_month,
        };
        let (partner, client) = (self.together.allowance(), client.allowance());
        if self.quota_mode.is_none() && partner.is_none() && client.is_none() {
            return None;
        }
        Some(Plan {
            quota_mode: self.quota_mode.unwrap_or(QuotaMode::Enforce),
            partner: partner.unwrap_or(Allowance::UNBOUNDED),
            client: client.unwrap_or(Allowance::UNBOUNDED),
        })
    }
}

fn rate(tokens_per_second: Option<Pace>, burst: Option<Pace>) -> Option<Rate> {
    Rate::of(tokens_per_second, burst).expect("a burst requires a rate, and the grammar sees to it")
}

fn pace(text: &str) -> Result<Pace, Invalid> {
    number(text)?.try_into()
}

fn count(text: &str) -> Result<TokenCount, Invalid> {
    number(text)?.try_into()
}

fn number(text: &str) -> Result<u64, Invalid> {
    text.parse().map_err(|_| Invalid::new("is not a whole number"))
}
