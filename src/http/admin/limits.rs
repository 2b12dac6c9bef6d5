//! Plans, allowances and allowed sources as they stand in the bodies of the admin API.

use super::fields::{Faulty, Members, Value, count, list, object};
use super::words::quota_mode;
use crate::domain::{Allowance, AllowedSources, Invalid, Network, Plan, Rate};

/// What a partner and its clients may obtain. A member that is absent or null bounds nothing.
pub(super) fn plan(value: &Value) -> Result<Box<Plan>, Faulty> {
    object(value, |plan| {
        let quota_mode = plan.required("quota_mode", quota_mode);
        let partner = plan.nullable("partner", allowance);
        let client = plan.nullable("client", allowance);
        Some(Box::new(Plan {
            quota_mode: quota_mode?,
            partner: partner?.unwrap_or(Allowance::UNBOUNDED),
            client: client?.unwrap_or(Allowance::UNBOUNDED),
        }))
    })
}

/// What a client may obtain.
pub(super) fn limits(value: &Value) -> Result<Box<Allowance>, Faulty> {
    allowance(value).map(Box::new)
}

fn allowance(value: &Value) -> Result<Allowance, Faulty> {
    object(value, |allowance| {
        let rate = rate(allowance);
        let day = allowance.nullable("tokens_per_day", count);
        let month = allowance.nullable("tokens_per_month", count);
        Some(Allowance {
            rate: rate?,
            tokens_per_day: day?,
            tokens_per_month: month?,
        })
    })
}

#[expect(
    clippy::option_option,
    reason = "outside: whether it could be read; inside: whether there is a value"
)]
fn rate(allowance: &mut Members) -> Option<Option<Rate>> {
    let second = allowance.nullable("tokens_per_second", count);
    let burst = allowance.nullable("burst", count);
    Rate::of(second?, burst?)
        .inspect_err(|invalid| allowance.refuse("burst", invalid.reason()))
        .ok()
}

/// From where a client may come.
pub(super) fn allowed_sources(value: &Value) -> Result<AllowedSources, Faulty> {
    let networks = list::<{ AllowedSources::MOST }, Network, Vec<_>>(value)?;
    if networks.is_empty() {
        let reason = Invalid::new("must not be empty: null allows every source");
        return Err(vec![(String::new(), reason)]);
    }
    Ok(AllowedSources::Only(networks.into_iter().collect()))
}
