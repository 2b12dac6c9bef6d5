//! Everything that decides about one client, read together: itself, its secrets, the partners above it, what it may have.
//!
//! There may be a hundred thousand of them, so of what is kept in the store only that is remembered which a request asks for: no names,
//! no notes, nothing of how things came about. `tests/it/oauth/room.rs` holds a client to its budget of bytes.

use std::sync::Arc;

use super::limits::Rates;
use super::quota::Quotas;
use super::usage::Tally;
use crate::domain::{
    AllowedSources, Api, AuthMethod, Client, ClientId, ClientRole, ClientSecret, ClientStatus, Entitlement,
    Environment, Granted, Limits, Partner, PartnerId, PartnerStatus, ResourceIndicator, SecretDigest, SecretId,
    SecretWindow, Timestamp, TokenLifetime, entitlements,
};
use crate::store::{Records, StoreError};

/// A client with all that decides about it.
#[derive(Debug)]
pub struct RegisteredClient {
    /// The client.
    pub client: KnownClient,
    /// Its secrets, the ended ones too.
    pub secrets: Box<[KnownSecret]>,
    /// The partner it belongs to and that partner's parent; none for a resource server.
    pub partners: Arc<[Partner]>,
    /// What bounds its tokens; none where nothing does. Boxed, as few have any.
    pub limits: Option<Box<Limits>>,
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

/// What a request asks of a client itself.
#[derive(Debug)]
pub struct KnownClient {
    /// Its identifier; also the `sub` of its tokens.
    pub client_id: ClientId,
    /// Where it works.
    pub environment: Environment,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// From where it may come.
    pub allowed_sources: AllowedSources,
    /// How long its tokens live, where that differs from the server's setting.
    pub token_lifetime: Option<TokenLifetime>,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it works.
    pub status: ClientStatus,
}

impl From<Client> for KnownClient {
    fn from(client: Client) -> Self {
        Self {
            client_id: client.client_id,
            environment: client.environment,
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            allowed_sources: client.allowed_sources,
            token_lifetime: client.token_lifetime,
            expires_at: client.expires_at,
            status: client.status,
        }
    }
}

/// What a request asks of a secret.
#[derive(Debug)]
pub struct KnownSecret {
    /// Its id.
    pub secret_id: SecretId,
    /// Its keyed digest.
    pub digest: SecretDigest,
    /// When it works.
    pub window: SecretWindow,
}

impl From<ClientSecret> for KnownSecret {
    fn from(secret: ClientSecret) -> Self {
        Self {
            window: secret.window(),
            secret_id: secret.secret_id,
            digest: secret.digest,
        }
    }
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
        let apis = records.apis(client.environment)?;
        Ok(Some(Self::new((client, secrets), (partners, audience), &apis)))
    }

    /// A client and its secrets, below these partners or with this audience. It holds nothing together with others yet.
    pub(super) fn new(
        (client, secrets): (Client, Vec<ClientSecret>),
        (partners, audience): (Vec<Partner>, Option<ResourceIndicator>),
        apis: &[Api],
    ) -> Self {
        Self {
            limits: Limits::of(&client, &partners).map(Box::new),
            rates: Rates::default(),
            quotas: Quotas::default(),
            entitlements: Arc::new(entitlements(&client, &partners, apis).into()),
            client: client.into(),
            secrets: secrets.into_iter().map(KnownSecret::from).collect(),
            partners: partners.into(),
            audience,
            tally: Tally::default(),
        }
    }

    /// The partner it belongs to, if it is a partner's.
    #[must_use]
    pub fn partner_id(&self) -> Option<&PartnerId> {
        self.partners.first().map(|partner| &partner.partner_id)
    }

    /// Whether the client, and every partner above it, may act at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.client.status.is_live(self.client.expires_at, now)
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
