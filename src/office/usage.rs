//! Usage: what became of the requests of clients, for whoever looks after their partners.

use super::{Administrator, Office, OfficeError};
use crate::domain::{
    ClientId, Environment, Granularity, Invalid, PartnerId, Refusal, Role, Seconds, Spreadsheet, Timestamp,
    TokenRefusal,
};
use crate::store::{Page, StoreError, UsageFilter, UsageGroup, UsagePlace, UsageRow};

/// Which usage somebody asks for.
#[derive(Clone, Debug)]
pub struct UsageQuestion {
    /// By hour, day or month.
    pub granularity: Granularity,
    /// How far broken down.
    pub group: UsageGroup,
    /// From the hour, day or month in which this moment lies; `None`: a day, a month or a year before the end.
    pub from: Option<Timestamp>,
    /// Up to this moment; `None`: up to now.
    pub until: Option<Timestamp>,
    /// In this environment.
    pub environment: Option<Environment>,
    /// Of this partner's clients.
    pub partner_id: Option<PartnerId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
}

impl UsageQuestion {
    fn filter(self, now: Timestamp) -> Result<UsageFilter, Refusal> {
        let until = self.until.unwrap_or(now);
        let span = Seconds::from_days(match self.granularity {
            Granularity::Hour => 1,
            Granularity::Day => 31,
            Granularity::Month => 366,
        });
        let from = self.from.unwrap_or(until - span);
        if from > until {
            return Err(Refusal::Invalid {
                field: "from",
                reason: Invalid::new("lies after the end"),
            });
        }
        Ok(UsageFilter {
            granularity: self.granularity,
            group: self.group,
            from: self.granularity.begin(from),
            until,
            environment: self.environment,
            partner_id: self.partner_id,
            client_id: self.client_id,
        })
    }
}

impl Office {
    /// Rows of usage, the oldest first. What this replica has counted is written before it is read, as far as one turn goes; what
    /// others have counted follows as they write it, every few seconds.
    ///
    /// # Errors
    /// When the range is none, the role does not allow it, or the store does not answer in time.
    pub async fn usage(
        &self,
        who: &Administrator,
        question: UsageQuestion,
        page: Page<UsagePlace>,
    ) -> Result<Vec<UsageRow>, OfficeError> {
        who.require(Role::Viewer)?;
        let filter = question.filter(self.parts.clock.now())?;
        let registry = &self.parts.registry;
        if let Err(error) = registry.flush_some().await {
            log::warn!(error:% = error; "usage is read without what was counted last");
        }
        Ok(registry.read(move |records| records.usage(&filter, &page)).await?)
    }

    /// Forgets the usage that is older than it is kept; says how many rows went.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn forget_usage(&self, now: Timestamp) -> Result<u64, StoreError> {
        let before = now - self.parts.policy.usage_kept;
        self.parts.registry.forget_usage(before).await
    }
}

/// Rows of usage for a spreadsheet, under the names they have in JSON.
#[must_use]
pub fn usage_spreadsheet(rows: &[UsageRow]) -> String {
    const PLACE: [&str; 7] = [
        "begins",
        "environment",
        "partner_id",
        "client_id",
        "scope",
        "issued",
        "refused",
    ];
    let mut table = Spreadsheet::new(PLACE.into_iter().chain(TokenRefusal::ALL.map(TokenRefusal::as_str)));
    for UsageRow { place, issued, refused } in rows {
        let begins = place.begins.to_string();
        let text = [
            begins.as_str(),
            place.environment.as_str(),
            place.partner_id.as_ref().map_or("", PartnerId::as_str),
            place.client_id.as_ref().map_or("", ClientId::as_str),
            place.scope.as_ref().map_or("", |scope| scope.as_str()),
        ];
        let numbers = [*issued, refused.iter().sum()].into_iter().chain(*refused);
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        table.row(text.into_iter().chain(numbers.iter().map(String::as_str)));
    }
    table.finish()
}
