//! Everything that decides about one client, read together: itself, its secrets, the partners above it, what it may have.

use std::sync::Arc;

use super::limits::Rates;
use super::quota::Quotas;
use super::usage::Tally;
use crate::domain::{
    Client, ClientId, ClientRole, ClientSecret, Entitlement, Granted, Limits, Partner, PartnerId, PartnerStatus,
    ResourceIndicator, Timestamp, entitlements,
};
use crate::store::{Records, StoreError};

/// A client with all that decides about it.
#[derive(Debug)]
pub struct RegisteredClient {
    /// The client.
    pub client: Client,
    /// Its secrets, the ended ones too.
    pub secrets: Vec<ClientSecret>,
    /// The partner it belongs to and that partner's parent; none for a resource server.
    pub partners: Arc<[Partner]>,
    /// What bounds its tokens; none where nothing does.
    pub limits: Option<Limits>,
    /// What counts its tokens.
    pub rates: Rates,
    /// The quotas its tokens count in.
    pub quotas: Quotas,
    /// What its tokens can be for, as it stands now.
    pub entitlements: Arc<Entitlements>,
    /// For a resource server: the audience whose tokens it may inspect.
    pub audience: Option<ResourceIndicator>,
    /// What it has been counted with and is not yet written.
    pub(super) tally: Tally,
}

/// What tokens can be for: of each API, and all of it together, which is what a request that names no scope is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entitlements {
    each: Vec<Entitlement>,
    everything: Option<Arc<Granted>>,
}

impl Entitlements {
    /// Of each API.
    #[must_use]
    pub fn each(&self) -> &[Entitlement] {
        &self.each
    }

    /// All of it together; `None` when there is nothing.
    #[must_use]
    pub const fn everything(&self) -> Option<&Arc<Granted>> {
        self.everything.as_ref()
    }
}

impl From<Vec<Entitlement>> for Entitlements {
    fn from(each: Vec<Entitlement>) -> Self {
        let everything = Granted::all_of(&each).map(Arc::new);
        Self { each, everything }
    }
}

impl RegisteredClient {
    /// Reads a client and all that decides about it; `None` for a stranger.
    ///
    /// # Errors
    /// When the store does not answer, or a client belongs to nobody.
    pub fn read(records: &mut dyn Records, client_id: &ClientId) -> Result<Option<Self>, StoreError> {
        let Some(client) = records.client(client_id)? else {
            return read_in_vain(records, client_id);
        };
        let secrets = records.secrets(client_id)?;
        let (mut partners, mut audience) = (Vec::new(), None);
        match &client.role {
            ClientRole::Partner { partner_id, .. } => {
                let mut above = Some(partner_id.clone());
                while let Some(partner_id) = above {
                    let partner = records.partner(&partner_id)?.ok_or_else(|| orphan(client_id))?;
                    above = if partners.is_empty() {
                        partner.parent.clone()
                    } else {
                        None
                    };
                    partners.push(partner);
                }
            }
            ClientRole::ResourceServer { api_id } => {
                let api = records
                    .api(client.environment, api_id)?
                    .ok_or_else(|| orphan(client_id))?;
                audience = Some(api.audience);
            }
        }
        let entitlements = entitlements(&client, &partners, &records.apis(client.environment)?);
        Ok(Some(Self {
            limits: Limits::of(&client, &partners),
            rates: Rates::default(),
            quotas: Quotas::default(),
            client,
            secrets,
            partners: partners.into(),
            entitlements: Arc::new(entitlements.into()),
            audience,
            tally: Tally::default(),
        }))
    }

    /// Whether the client, and every partner above it, may act at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.client.is_live(now)
            && self
                .partners
                .iter()
                .all(|partner| partner.status == PartnerStatus::Active)
    }
}

/// Asks of a stranger what would have been asked of a client, so that the time of a first contact does not tell which it is.
fn read_in_vain(records: &mut dyn Records, client_id: &ClientId) -> Result<Option<RegisteredClient>, StoreError> {
    let nobody: PartnerId = "nobody".parse().expect("it has the form of a partner's id");
    records.secrets(client_id)?;
    records.partner(&nobody)?;
    records.apis(client_id.supposed_environment())?;
    Ok(None)
}

fn orphan(client_id: &ClientId) -> StoreError {
    StoreError::Corrupt(format!("the client {client_id} belongs to something that is not there"))
}
