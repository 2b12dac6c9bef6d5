//! What an operator should look at before somebody calls. Each question has a bound, so that it costs the same in a large installation.

use super::quotas::partner_standings;
use super::{Administrator, Office, OfficeError, QuotaStanding};
use crate::domain::{ClientSecret, ClientStatus, Ending, NoticeKind, Role, Seconds, Span};
use crate::store::{ClientCount, Page, Records};

/// How many clients that have more than one secret are looked at.
const MOST_LOOKED_AT: u16 = 100;
/// Of how many partners the quotas are looked at.
const MOST_PARTNERS: usize = 50;

/// Some of what was looked for.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// What was found.
    pub found: Vec<T>,
    /// Whether that is all there is.
    pub extent: Extent,
}

/// How far somebody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// There is no more.
    Whole,
    /// There may be more.
    Bounded,
}

impl Extent {
    const fn of(is_all: bool) -> Self {
        if is_all { Self::Whole } else { Self::Bounded }
    }
}

impl QuotaStanding {
    /// Whether four fifths of it or more are drawn.
    #[must_use]
    pub fn is_near_its_limit(&self) -> bool {
        u128::from(self.drawn) * 5 >= u128::from(self.limit) * 4
    }
}

impl Office {
    /// How many clients there are, by environment and status.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn client_counts(&self, who: &Administrator) -> Result<Vec<ClientCount>, OfficeError> {
        who.require(Role::Viewer)?;
        Ok(self.parts.registry.read(|records| records.client_counts()).await?)
    }

    /// What ends within so many days, the soonest first: `limit` at the most.
    ///
    /// # Errors
    /// As [`Office::client_counts`].
    pub async fn coming_ends(
        &self,
        who: &Administrator,
        kind: NoticeKind,
        (days, limit): (u32, u16),
    ) -> Result<Found<Ending>, OfficeError> {
        who.require(Role::Viewer)?;
        let now = self.parts.clock.now();
        let span = Span {
            after: now,
            until: now + Seconds::from_days(days),
        };
        let read = move |records: &mut dyn Records| records.soonest_endings(kind, (now, span, limit + 1));
        let mut found = self.parts.registry.read(read).await?;
        let is_all = found.len() <= usize::from(limit);
        found.truncate(limit.into());
        Ok(Found {
            found,
            extent: Extent::of(is_all),
        })
    }

    /// Secrets of active clients that nobody is likely to miss, `limit` at the most, of the first hundred clients by id that have more
    /// than one secret.
    ///
    /// # Errors
    /// As [`Office::client_counts`].
    pub async fn spare_secrets(&self, who: &Administrator, limit: u16) -> Result<Found<ClientSecret>, OfficeError> {
        who.require(Role::Viewer)?;
        let (now, silence) = (self.parts.clock.now(), self.parts.policy.silence);
        let read = move |records: &mut dyn Records| {
            let mut found = Vec::new();
            let clients = records.clients_with_spare_secrets(now, &Page::first(MOST_LOOKED_AT))?;
            for client_id in &clients {
                let all = records.secrets(client_id)?;
                let mut spare = all
                    .iter()
                    .filter(|secret| secret.is_safe_to_retire(&all, silence, now))
                    .peekable();
                if spare.peek().is_none() {
                    continue;
                }
                let client = records.client(client_id)?;
                if client.is_some_and(|client| client.status == ClientStatus::Active) {
                    found.extend(spare.cloned());
                }
                if found.len() > usize::from(limit) {
                    found.truncate(limit.into());
                    return Ok((found, false));
                }
            }
            Ok((found, clients.len() < usize::from(MOST_LOOKED_AT)))
        };
        let (found, is_all) = self.parts.registry.read(read).await?;
        Ok(Found {
            found,
            extent: Extent::of(is_all),
        })
    }

    /// Quotas of partners of which four fifths or more are drawn: of the fifty partners for whom this replica has drawn most in the
    /// windows that run now. Who obtains nothing here is near no limit by what this replica does.
    ///
    /// # Errors
    /// As [`Office::client_counts`].
    pub async fn quotas_near_their_limit(&self, who: &Administrator) -> Result<Vec<QuotaStanding>, OfficeError> {
        who.require(Role::Viewer)?;
        let now = self.parts.clock.now();
        let busiest = self.parts.registry.busiest_partners(now, MOST_PARTNERS);
        let read = move |records: &mut dyn Records| {
            let mut near = Vec::new();
            for partner_id in busiest {
                if let Some(payer) = records.partner(&partner_id)? {
                    near.extend(partner_standings(records, &payer, now)?);
                }
            }
            near.retain(QuotaStanding::is_near_its_limit);
            Ok(near)
        };
        Ok(self.parts.registry.read(read).await?)
    }
}
