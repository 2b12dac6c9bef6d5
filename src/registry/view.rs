//! The view of one request: the remembered clients, APIs, keys and revoked tokens as they stand behind the barrier.

use std::sync::Arc;

use super::cache::Remembered;
use super::revoked::Recollection;
use super::{Keyring, RegisteredClient, Registry};
use crate::domain::{Api, ClientId, Environment, Timestamp, TokenId};
use crate::store::{Asker, StoreError};
use crate::telemetry::CacheResult;

/// How often a fill is begun again because what it read may have changed meanwhile.
const FILL_ATTEMPTS: usize = 16;

/// What is true now, for one request.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub(super) registry: &'a Registry,
}

impl View<'_> {
    /// The client with this id; `None` for a stranger.
    ///
    /// # Errors
    /// When it is not remembered and the store does not answer in time.
    pub async fn client(&self, client_id: &ClientId) -> Result<Option<Arc<RegisteredClient>>, StoreError> {
        match self.recall(client_id) {
            Remembered::Known(client) => return Ok(Some(client)),
            Remembered::Stranger => return Ok(None),
            Remembered::Forgotten => {}
        }
        let _turn = self.registry.turns.take(client_id).await?;
        let clients = &self.registry.memory.clients;
        for _ in 0..FILL_ATTEMPTS {
            // Whoever had the turn before may have read it.
            match self.recall(client_id) {
                Remembered::Known(client) => return Ok(Some(client)),
                Remembered::Stranger => return Ok(None),
                Remembered::Forgotten => {}
            }
            self.registry.metrics.count_cache(CacheResult::Miss);
            let began = clients.begin_fill();
            let wanted = client_id.clone();
            let found = self
                .registry
                .look_up(move |records| RegisteredClient::read(records, &wanted))
                .await?
                .map(|found| self.registry.dress(found));
            if clients.end_fill(began, client_id, found.as_ref()) {
                return Ok(found);
            }
        }
        Err(StoreError::Unavailable(
            "changes came too fast to read the client between two of them".to_owned(),
        ))
    }

    /// What is remembered under this id: a client, that it is nobody's, or nothing. Asks nobody.
    #[must_use]
    pub fn recall(&self, client_id: &ClientId) -> Remembered {
        let remembered = self.registry.memory.clients.get(client_id);
        if !matches!(remembered, Remembered::Forgotten) {
            self.registry.metrics.count_cache(CacheResult::Hit);
        }
        remembered
    }

    /// The APIs of an environment, by id.
    ///
    /// # Errors
    /// When they are not remembered and the store does not answer in time.
    pub async fn apis(&self, environment: Environment) -> Result<Arc<[Api]>, StoreError> {
        let remembered = &self.registry.memory.apis;
        if let Ok(apis) = remembered.get(environment) {
            return Ok(apis);
        }
        let _turn = self.registry.turns.take(&environment).await?;
        for _ in 0..FILL_ATTEMPTS {
            let began = match remembered.get(environment) {
                Ok(apis) => return Ok(apis),
                Err(began) => began,
            };
            let read = self.registry.look_up(move |records| records.apis(environment)).await?;
            let apis = read.into();
            if remembered.keep(environment, began, &apis) {
                return Ok(apis);
            }
        }
        Err(StoreError::Unavailable(
            "the APIs changed again each time they were read".to_owned(),
        ))
    }

    /// The keys of an environment.
    ///
    /// # Errors
    /// When they could not be read after they last changed, and still cannot.
    pub async fn keyring(&self, environment: Environment) -> Result<Arc<Keyring>, StoreError> {
        let memory = &self.registry.memory;
        if let Some(keyring) = memory.keyring_of(environment).load_full() {
            return Ok(keyring);
        }
        let again = Arc::clone(memory);
        let read = self
            .registry
            .door
            .call(Asker::Caller, move |_| again.read_keyring(environment))
            .await?;
        read.map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let keyring = memory.keyring_of(environment).load_full();
        keyring.ok_or_else(|| StoreError::Unavailable("the signing keys were lost again".to_owned()))
    }

    /// Whether memory alone says that the token `jti`, whose `exp` is `end`, was not revoked. Asks nobody.
    #[must_use]
    pub fn is_known_unrevoked(&self, jti: &TokenId, end: Timestamp) -> bool {
        self.registry.memory.revoked.recall(jti, end) == Recollection::NotRevoked
    }

    /// Whether memory alone says that the token `jti`, whose `exp` is `end`, was revoked. Asks nobody.
    #[must_use]
    pub fn is_known_revoked(&self, jti: &TokenId, end: Timestamp) -> bool {
        self.registry.memory.revoked.recall(jti, end) == Recollection::Revoked
    }

    /// Whether its client revoked the token `jti`, whose `exp` is `end`.
    ///
    /// # Errors
    /// When memory cannot tell and the store does not answer in time.
    pub async fn is_revoked(&self, jti: &TokenId, end: Timestamp) -> Result<bool, StoreError> {
        match self.registry.memory.revoked.recall(jti, end) {
            Recollection::Revoked => Ok(true),
            Recollection::NotRevoked => Ok(false),
            Recollection::Uncertain => {
                self.registry.metrics.count_revoked_token_read();
                let jti = jti.clone();
                let kept = self
                    .registry
                    .look_up(move |records| records.revoked_token(&jti))
                    .await?;
                Ok(kept.is_some())
            }
        }
    }
}

impl Registry {
    /// A client as it was read, with what it holds together with others: what they have alike, what counts its tokens.
    fn dress(&self, read: RegisteredClient) -> Arc<RegisteredClient> {
        let limits = read.limits.as_deref();
        Arc::new(RegisteredClient {
            rates: self.buckets.rates(&read.client, limits),
            quotas: self.quotas.of(&read.client, limits),
            ..self.memory.clients.alike().share(read)
        })
    }
}
