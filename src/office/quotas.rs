//! Quotas, read: what a partner or a client may obtain in the windows that run now, and what has been drawn of it.

use serde::Serialize;

use super::commit::found;
use super::{Administrator, Office, OfficeError};
use crate::domain::{
    Allowance, ClientId, Environment, Meter, MeterHolder, Noun, Partner, PartnerId, QuotaMode, Role, Timestamp, Window,
};
use crate::registry::RegisteredClient;
use crate::store::{Records, StoreError};

/// How one quota stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaStanding {
    /// Its name, as callers read it in `RateLimit`.
    pub quota: &'static str,
    /// Whose tokens count: the partner's, with its sub-accounts, or the client's.
    pub holder: String,
    /// Where.
    pub environment: Environment,
    /// What becomes of it when it is used up.
    pub quota_mode: QuotaMode,
    /// How many tokens there are in a window.
    pub limit: u64,
    /// How many replicas have drawn, those they hold and have not issued among them.
    pub drawn: u64,
    /// How many can still be drawn.
    pub remaining: u64,
    /// When the window began.
    pub window_start: Timestamp,
    /// When the next begins.
    pub window_end: Timestamp,
}

/// A holder's allowance somewhere, now.
struct Bounds {
    holder: MeterHolder,
    environment: Environment,
    quota_mode: QuotaMode,
    now: Timestamp,
}

impl Bounds {
    fn standings(self, records: &mut dyn Records, allowance: &Allowance) -> Result<Vec<QuotaStanding>, StoreError> {
        let standing = |(period, limit)| {
            let window = Window::of(period, self.now);
            let meter = Meter {
                holder: self.holder.clone(),
                environment: self.environment,
                window,
            };
            let drawn = records.drawn(&meter)?;
            Ok(QuotaStanding {
                quota: self.holder.quota(period).as_str(),
                holder: self.holder.id().to_owned(),
                environment: self.environment,
                quota_mode: self.quota_mode,
                limit,
                drawn,
                remaining: limit.saturating_sub(drawn),
                window_start: window.start(),
                window_end: window.end(),
            })
        };
        allowance.quotas().map(standing).collect()
    }
}

/// How the quotas of a partner that pays for itself stand in both environments.
pub(super) fn partner_standings(
    records: &mut dyn Records,
    payer: &Partner,
    now: Timestamp,
) -> Result<Vec<QuotaStanding>, StoreError> {
    let mut standings = Vec::new();
    if let Some(plan) = &payer.plan {
        for environment in Environment::ALL {
            let bounds = Bounds {
                holder: MeterHolder::Partner(payer.partner_id.clone()),
                environment,
                quota_mode: plan.quota_mode,
                now,
            };
            standings.extend(bounds.standings(records, &plan.partner)?);
        }
    }
    Ok(standings)
}

impl Office {
    /// How the quotas of a partner stand in both environments, or those of its parent, whose budget it shares; none where there are none.
    ///
    /// # Errors
    /// When there is no such partner, the role does not allow it, or the store does not answer in time.
    pub async fn partner_quotas(
        &self,
        who: &Administrator,
        partner_id: PartnerId,
    ) -> Result<Vec<QuotaStanding>, OfficeError> {
        who.require(Role::Viewer)?;
        let now = self.parts.clock.now();
        let read = move |records: &mut dyn Records| {
            let payer = match records.partner(&partner_id)? {
                Some(partner) => match &partner.parent {
                    Some(parent) => records.partner(parent)?,
                    None => Some(partner),
                },
                None => None,
            };
            let Some(payer) = payer else { return Ok(None) };
            partner_standings(records, &payer, now).map(Some)
        };
        Ok(found(self.parts.registry.read(read).await?, Noun::Partner)?)
    }

    /// How the quotas stand in which a client's tokens count: its own, then its partner's.
    ///
    /// # Errors
    /// When there is no such client, the role does not allow it, or the store does not answer in time.
    pub async fn client_quotas(
        &self,
        who: &Administrator,
        client_id: ClientId,
    ) -> Result<Vec<QuotaStanding>, OfficeError> {
        who.require(Role::Viewer)?;
        let now = self.parts.clock.now();
        let read = move |records: &mut dyn Records| {
            let Some(client) = RegisteredClient::read(records, &client_id)? else {
                return Ok(None);
            };
            let mut standings = Vec::new();
            if let Some(limits) = client.limits {
                for (holder, allowance) in [
                    (MeterHolder::Client(client_id), &limits.client),
                    (MeterHolder::Partner(limits.payer), &limits.partner),
                ] {
                    let bounds = Bounds {
                        holder,
                        environment: client.client.environment,
                        quota_mode: limits.quota_mode,
                        now,
                    };
                    standings.extend(bounds.standings(records, allowance)?);
                }
            }
            Ok(Some(standings))
        };
        Ok(found(self.parts.registry.read(read).await?, Noun::Client)?)
    }
}
