//! Pages and filters of lists. Pages go by key, never by offset, so that a row is neither skipped nor shown twice.

use crate::domain::{
    Action, ApiId, Client, ClientRole, ClientStatus, Environment, Epoch, JournalEntry, Noun, Partner, PartnerId,
    PartnerStatus, Search,
};

/// A piece of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    /// The key of the last row already seen.
    pub after: Option<K>,
    /// How many rows at the most.
    pub limit: u16,
}

impl<K> Page<K> {
    /// The first `limit` rows.
    #[must_use]
    pub const fn first(limit: u16) -> Self {
        Self { after: None, limit }
    }
}

/// Which way a list runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// From the oldest.
    #[default]
    OldestFirst,
    /// From the newest.
    NewestFirst,
}

/// Which partners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartnerFilter {
    /// With this status.
    pub status: Option<PartnerStatus>,
    /// Sub-accounts of this partner.
    pub parent: Option<PartnerId>,
    /// With this in the name or the id.
    pub search: Option<Search>,
}

impl PartnerFilter {
    pub(super) fn admits(&self, partner: &Partner) -> bool {
        self.status.is_none_or(|status| partner.status == status)
            && self
                .parent
                .as_ref()
                .is_none_or(|parent| partner.parent.as_ref() == Some(parent))
            && is_found(
                self.search.as_ref(),
                &[partner.partner_id.as_str(), partner.name.as_str()],
            )
    }
}

/// Which clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFilter {
    /// In this environment.
    pub environment: Option<Environment>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Resource servers of this API.
    pub api_id: Option<ApiId>,
    /// With this status.
    pub status: Option<ClientStatus>,
    /// With this in the name, the id or the contact.
    pub search: Option<Search>,
}

impl ClientFilter {
    pub(super) fn admits(&self, client: &Client) -> bool {
        let api_id = match &client.role {
            ClientRole::ResourceServer { api_id } => Some(api_id),
            ClientRole::Partner { .. } => None,
        };
        self.environment
            .is_none_or(|environment| client.environment == environment)
            && self
                .partner_id
                .as_ref()
                .is_none_or(|partner_id| client.partner_id() == Some(partner_id))
            && self.api_id.as_ref().is_none_or(|wanted| api_id == Some(wanted))
            && self.status.is_none_or(|status| client.status == status)
            && is_found(
                self.search.as_ref(),
                &[client.client_id.as_str(), client.name.as_str(), client.contact.as_str()],
            )
    }
}

/// Whether one of these texts contains what is looked for, if anything is.
fn is_found(search: Option<&Search>, texts: &[&str]) -> bool {
    search.is_none_or(|search| texts.iter().any(|text| search.is_in(text)))
}

/// Which journal rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Of this action.
    pub action: Option<Action>,
    /// About this kind of thing.
    pub noun: Option<Noun>,
    /// About the thing with this id.
    pub subject: Option<String>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// In this environment.
    pub environment: Option<Environment>,
    /// From which end.
    pub order: Order,
}

impl JournalFilter {
    pub(super) fn admits(&self, entry: &JournalEntry) -> bool {
        self.action.is_none_or(|action| entry.action == action)
            && self.noun.is_none_or(|noun| entry.noun == noun)
            && self.subject.as_ref().is_none_or(|subject| entry.subject == *subject)
            && self
                .partner_id
                .as_ref()
                .is_none_or(|partner_id| entry.partner_id.as_ref() == Some(partner_id))
            && self
                .environment
                .is_none_or(|environment| entry.environment == Some(environment))
    }

    /// Whether `epoch` lies beyond `after` in the order of this list.
    pub(super) fn is_beyond(&self, epoch: Epoch, after: Option<Epoch>) -> bool {
        after.is_none_or(|after| match self.order {
            Order::OldestFirst => epoch > after,
            Order::NewestFirst => epoch < after,
        })
    }
}
