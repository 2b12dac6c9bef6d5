//! How a client or a partner stands: what is left of its quotas, how much runs with it, and since when it stands still.

use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::{Action, Client, ClientStatus, Granularity, JournalEntry, Partner, PartnerStatus, Seconds};
use crate::office::{QuotaStanding, UsageQuestion};
use crate::store::{JournalFilter, Order, Page, UsageGroup, UsagePlace};

/// More rows than a day of usage has: one for each hour that it touches, in each environment.
const A_DAY: Page<UsagePlace> = Page::first(50);

/// How something stands.
pub(super) struct Standing {
    /// Its quotas, in the windows that run now.
    pub(super) quotas: Vec<QuotaStanding>,
    /// How many tokens were issued in the last day.
    pub(super) issued: u64,
    /// The change since which it stands still, if it does.
    pub(super) halt: Option<JournalEntry>,
}

impl Standing {
    /// Of a client.
    pub(super) async fn of_client(visit: &Visit, client: &Client) -> Result<Self, Trouble> {
        let id = &client.client_id;
        let action = match client.status {
            ClientStatus::Active => None,
            ClientStatus::Suspended => Some(Action::ClientSuspended),
            ClientStatus::Revoked => Some(Action::ClientRevoked),
        };
        let usage = UsageQuestion {
            client_id: Some(id.clone()),
            ..last_day(visit)
        };
        Ok(Self {
            quotas: visit.office().client_quotas(visit.who(), id.clone()).await?,
            issued: issued(visit, usage).await?,
            halt: halt(visit, action, id.to_string()).await?,
        })
    }

    /// Of a partner, its own clients together.
    pub(super) async fn of_partner(visit: &Visit, partner: &Partner) -> Result<Self, Trouble> {
        let id = &partner.partner_id;
        let action = match partner.status {
            PartnerStatus::Active => None,
            PartnerStatus::Suspended => Some(Action::PartnerSuspended),
        };
        let usage = UsageQuestion {
            partner_id: Some(id.clone()),
            ..last_day(visit)
        };
        Ok(Self {
            quotas: visit.office().partner_quotas(visit.who(), id.clone()).await?,
            issued: issued(visit, usage).await?,
            halt: halt(visit, action, id.to_string()).await?,
        })
    }
}

fn last_day(visit: &Visit) -> UsageQuestion {
    UsageQuestion {
        granularity: Granularity::Hour,
        group: UsageGroup::Environment,
        from: Some(visit.now() - Seconds::from_days(1)),
        until: None,
        environment: None,
        partner_id: None,
        client_id: None,
    }
}

async fn issued(visit: &Visit, question: UsageQuestion) -> Result<u64, Trouble> {
    let rows = visit.office().usage(visit.who(), question, A_DAY).await?;
    Ok(rows.iter().fold(0, |sum, row| sum.saturating_add(row.issued)))
}

/// The last of these changes of the thing with this id.
async fn halt(visit: &Visit, action: Option<Action>, subject: String) -> Result<Option<JournalEntry>, Trouble> {
    if action.is_none() {
        return Ok(None);
    }
    let filter = JournalFilter {
        action,
        noun: action.map(Action::noun),
        subject: Some(subject),
        order: Order::NewestFirst,
        ..JournalFilter::default()
    };
    let rows = visit.office().journal(visit.who(), filter, Page::first(1)).await?;
    Ok(rows.into_iter().next())
}
