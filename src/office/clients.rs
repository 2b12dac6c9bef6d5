//! Clients: registering with a first secret, widening, narrowing, suspending, reinstating, revoking.

use super::commit::{Creation, found, unless_alike};
use super::{Administrator, Created, Errand, Office, OfficeError};
use crate::domain::{
    AccessLevel, Allowance, AllowedApis, AllowedSources, AuthMethod, Client, ClientId, ClientRole, ClientSecret,
    ClientStatus, EmailAddress, Environment, Epoch, Invalid, Mutation, Name, Noun, Refusal, Role, Scope, Secret,
    Timestamp, TokenLifetime,
};
use crate::store::{ClientFilter, CommitError, Page, Records, StoreError};

/// A client to register. Its id and its first secret are made by the server.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Where it works.
    pub environment: Environment,
    /// Whose it is and what it is for.
    pub role: ClientRole,
    /// What people call it.
    pub name: Name,
    /// Who answers for it.
    pub contact: EmailAddress,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// How long its tokens live, where that differs from the server's setting.
    pub token_lifetime: Option<TokenLifetime>,
    /// What it may obtain, in place of what its partner's plan says of each client; of a partner's client only.
    pub limits: Option<Box<Allowance>>,
    /// From where it may come.
    pub allowed_sources: AllowedSources,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
}

/// What to change of a client; what is `None` stays. An inner `None` takes the value away.
#[derive(Clone, Debug)]
pub struct ClientChange {
    /// Of which.
    pub client_id: ClientId,
    /// What people call it.
    pub name: Option<Name>,
    /// Who answers for it.
    pub contact: Option<EmailAddress>,
    /// Which scopes it may have; of a partner's client only.
    pub access: Option<AccessChange>,
    /// Which APIs its tokens may be for; of a partner's client only.
    pub allowed_apis: Option<AllowedApis>,
    /// How it authenticates.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// How long its tokens live; of a partner's client only.
    pub token_lifetime: Option<Option<TokenLifetime>>,
    /// What it may obtain, in place of what its partner's plan says of each client; of a partner's client only.
    pub limits: Option<Option<Box<Allowance>>>,
    /// From where it may come.
    pub allowed_sources: Option<AllowedSources>,
    /// When it stops working by itself.
    pub expires_at: Option<Option<Timestamp>>,
}

/// How the scopes a client may have are changed.
#[derive(Clone, Debug)]
pub enum AccessChange {
    /// Another level, with its scope.
    To(AccessLevel),
    /// Another scope for a client that is fine-grained already.
    Scope(Scope),
}

/// A client with its first secret.
#[derive(Debug)]
pub struct ClientWithSecret {
    /// The client.
    pub client: Client,
    /// What is kept of the secret.
    pub kept: ClientSecret,
    /// The secret itself, when it was made now.
    pub secret: Option<Secret>,
}

struct Registration {
    client: Client,
    kept: ClientSecret,
    now: Timestamp,
}

impl Creation for Registration {
    type Thing = (Client, ClientSecret);

    fn make(&self, records: &mut dyn Records) -> Result<(Mutation, Self::Thing), CommitError> {
        let (client, kept) = (self.client.clone(), self.kept.clone());
        if let ClientRole::Partner { partner_id, .. } = &client.role
            && records.partner(partner_id)?.is_none()
        {
            return Err(invalid("partner_id", "names no partner").into());
        }
        role_fits(records, &client)?;
        lies_ahead(client.expires_at, self.now)?;
        Ok((Mutation::ClientRegistered(client.clone(), kept.clone()), (client, kept)))
    }

    fn subject((client, kept): &Self::Thing) -> String {
        format!("{}/{}", client.client_id, kept.secret_id)
    }

    fn find(&self, records: &mut dyn Records, subject: &str) -> Result<Option<Self::Thing>, StoreError> {
        let Some((client_id, secret_id)) = subject.split_once('/') else {
            return Ok(None);
        };
        let Ok(client_id) = client_id.parse() else {
            return Ok(None);
        };
        let mut secrets = records.secrets(&client_id)?.into_iter();
        let first = secrets.find(|secret| secret.secret_id.as_str() == secret_id);
        Ok(records.client(&client_id)?.zip(first))
    }
}

/// Whether the scopes and APIs a client names are those of its environment.
fn role_fits(records: &mut dyn Records, client: &Client) -> Result<(), CommitError> {
    let apis = records.apis(client.environment)?;
    let exists = |api_id: &_| apis.iter().any(|api| api.api_id == *api_id);
    match &client.role {
        ClientRole::ResourceServer { api_id } if !exists(api_id) => {
            Err(invalid("api_id", "names no API of the environment").into())
        }
        ClientRole::ResourceServer { .. } => Ok(()),
        ClientRole::Partner {
            access, allowed_apis, ..
        } => {
            if let AccessLevel::FineGrained(scope) = access
                && !scope
                    .iter()
                    .all(|token| apis.iter().any(|api| api.scopes.contains(token)))
            {
                return Err(invalid("scope", "holds a scope token that no API of the environment owns").into());
            }
            match allowed_apis {
                AllowedApis::Only(allowed) if !allowed.iter().all(exists) => {
                    Err(invalid("allowed_apis", "names an API that the environment does not have").into())
                }
                AllowedApis::Only(_) | AllowedApis::Every => Ok(()),
            }
        }
    }
}

fn lies_ahead(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Refusal> {
    if expires_at.is_some_and(|expiry| expiry <= now) {
        Err(invalid("expires_at", "does not lie ahead"))
    } else {
        Ok(())
    }
}

const fn invalid(field: &'static str, reason: &'static str) -> Refusal {
    Refusal::Invalid {
        field,
        reason: Invalid::new(reason),
    }
}

impl ClientChange {
    /// The client after the change.
    fn apply(self, before: &Client, now: Timestamp) -> Result<Client, Refusal> {
        if let Some(expires_at) = self.expires_at {
            lies_ahead(expires_at, now)?;
        }
        let mut after = before.clone();
        self.apply_to_role(&mut after)?;
        after.name = self.name.unwrap_or(after.name);
        after.contact = self.contact.unwrap_or(after.contact);
        after.token_endpoint_auth_method = self
            .token_endpoint_auth_method
            .unwrap_or(after.token_endpoint_auth_method);
        after.token_lifetime = self.token_lifetime.unwrap_or(after.token_lifetime);
        after.limits = self.limits.unwrap_or(after.limits);
        after.allowed_sources = self.allowed_sources.unwrap_or(after.allowed_sources);
        after.expires_at = self.expires_at.unwrap_or(after.expires_at);
        Ok(after)
    }

    fn apply_to_role(&self, client: &mut Client) -> Result<(), Refusal> {
        let given = [
            (self.access.is_some(), "access_level"),
            (self.allowed_apis.is_some(), "allowed_apis"),
            (self.token_lifetime.is_some(), "token_lifetime"),
            (self.limits.is_some(), "limits"),
        ];
        let ClientRole::Partner {
            access, allowed_apis, ..
        } = &mut client.role
        else {
            return match given.into_iter().find(|(given, _)| *given) {
                Some((_, field)) => Err(invalid(field, "belongs to partner clients only")),
                None => Ok(()),
            };
        };
        match (&self.access, &access) {
            (None, _) => {}
            (Some(AccessChange::To(level)), _) => *access = level.clone(),
            (Some(AccessChange::Scope(scope)), AccessLevel::FineGrained(_)) => {
                *access = AccessLevel::FineGrained(scope.clone());
            }
            (Some(AccessChange::Scope(_)), AccessLevel::Full) => {
                return Err(invalid("scope", "belongs to the access level fine_grained"));
            }
        }
        if let Some(only) = &self.allowed_apis {
            *allowed_apis = only.clone();
        }
        Ok(())
    }
}

impl Office {
    /// Clients by id.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn clients(
        &self,
        who: &Administrator,
        filter: ClientFilter,
        page: Page<ClientId>,
    ) -> Result<Vec<Client>, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        Ok(registry.read(move |records| records.clients(&filter, &page)).await?)
    }

    /// One client.
    ///
    /// # Errors
    /// When there is none, the role does not allow it, or the store does not answer in time.
    pub async fn client(&self, who: &Administrator, client_id: ClientId) -> Result<Client, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        let client = registry.read(move |records| records.client(&client_id)).await?;
        Ok(found(client, Noun::Client)?)
    }

    /// Registers a client and makes its first secret.
    ///
    /// # Errors
    /// When what it names does not exist in its environment, its expiry does not lie ahead, the role does not allow it, or the
    /// store does not answer in time.
    pub async fn register_client(
        &self,
        who: &Administrator,
        errand: Errand,
        new: NewClient,
    ) -> Result<Created<ClientWithSecret>, OfficeError> {
        let permit = who.require(Role::Operator)?;
        let now = self.parts.clock.now();
        let word = match &new.role {
            ClientRole::Partner { partner_id, .. } => partner_id.as_str(),
            ClientRole::ResourceServer { api_id } => api_id.as_str(),
        };
        let client_id = ClientId::mint(new.environment, word, &*self.parts.entropy);
        let (secret, kept) = self.mint_client_secret((client_id.clone(), new.environment), who);
        let client = Client {
            client_id,
            environment: new.environment,
            role: new.role,
            name: new.name,
            contact: new.contact,
            token_endpoint_auth_method: new.token_endpoint_auth_method,
            token_lifetime: new.token_lifetime,
            limits: new.limits,
            allowed_sources: new.allowed_sources,
            expires_at: new.expires_at,
            status: ClientStatus::Active,
            created_at: now,
            version: Epoch::ZERO,
        };
        let created = self.create(permit, errand, Registration { client, kept, now }).await?;
        Ok(match created {
            Created::Now((client, kept)) => Created::Now(ClientWithSecret {
                client,
                kept,
                secret: Some(secret),
            }),
            Created::Before((client, kept)) => Created::Before(ClientWithSecret {
                client,
                kept,
                secret: None,
            }),
        })
    }

    /// Changes a client.
    ///
    /// # Errors
    /// When there is none, it is not what the sender knew, it is revoked, what it is to name does not exist, the role does not
    /// allow it, or the store does not answer in time.
    pub async fn change_client(
        &self,
        who: &Administrator,
        errand: Errand,
        change: ClientChange,
    ) -> Result<Client, OfficeError> {
        let (if_match, now) = (errand.if_match.clone(), self.parts.clock.now());
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let before = found(records.client(&change.client_id)?, Noun::Client)?;
            if_match.admit(before.version)?;
            let before = before.changeable()?;
            let after = change.clone().apply(&before, now)?;
            if after.role != before.role {
                role_fits(records, &after)?;
            }
            Ok(unless_alike(&before, after, Mutation::ClientChanged))
        })
        .await
    }

    /// Suspends a client.
    ///
    /// # Errors
    /// When it is not active, and as [`Office::change_client`].
    pub async fn suspend_client(
        &self,
        who: &Administrator,
        errand: Errand,
        client_id: ClientId,
    ) -> Result<Client, OfficeError> {
        let transition = (Client::suspended as Transition, Mutation::ClientSuspended as Put);
        self.move_client(who, errand, (client_id, transition)).await
    }

    /// Reinstates a client.
    ///
    /// # Errors
    /// When it is not suspended, and as [`Office::change_client`].
    pub async fn reinstate_client(
        &self,
        who: &Administrator,
        errand: Errand,
        client_id: ClientId,
    ) -> Result<Client, OfficeError> {
        let transition = (Client::reinstated as Transition, Mutation::ClientReinstated as Put);
        self.move_client(who, errand, (client_id, transition)).await
    }

    /// Revokes a client for ever.
    ///
    /// # Errors
    /// When it is revoked already, and as [`Office::change_client`].
    pub async fn revoke_client(
        &self,
        who: &Administrator,
        errand: Errand,
        client_id: ClientId,
    ) -> Result<Client, OfficeError> {
        let transition = (Client::revoked as Transition, Mutation::ClientRevoked as Put);
        self.move_client(who, errand, (client_id, transition)).await
    }

    async fn move_client(
        &self,
        who: &Administrator,
        errand: Errand,
        (client_id, (transition, put)): (ClientId, (Transition, Put)),
    ) -> Result<Client, OfficeError> {
        let if_match = errand.if_match.clone();
        self.change(who.require(Role::Operator)?, errand, move |records| {
            let client = found(records.client(&client_id)?, Noun::Client)?;
            if_match.admit(client.version)?;
            let client = transition(client)?;
            Ok((Some(put(client.clone())), client))
        })
        .await
    }
}

/// A rule of the domain that leads a client from one status to another.
type Transition = fn(Client) -> Result<Client, Refusal>;
/// The mutation that writes it.
type Put = fn(Client) -> Mutation;
