//! The store in memory: the port in its plainest form, and so the oracle against which the others are tested.

mod notices;
mod records;
mod sessions;
mod surveys;
mod usage;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    ANOTHER_KEY_SIGNS, CommitError, Decide, Draw, Drawn, Follower, JournalFilter, Known, METERS_KEPT, NoticeBoard,
    Page, Read, Records, Return, SessionBook, Sharing, Store, StoreError,
};
use crate::domain::{
    Api, ApiId, Attribution, CLOCK_SKEW, ChainHash, Change, Client, ClientId, ClientSecret, Environment,
    IdempotencyKey, IdempotencyRecord, JournalEntry, KeptNotice, KeyState, Meter, Mutation, NoticeId, Noun, Operator,
    OperatorId, OperatorStatus, Partner, PartnerId, Refusal, RevokedToken, Session, SigningKeyRecord, Timestamp,
    TokenId, UsageBatch,
};

/// A store that lives as long as the process. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Shelves>>);

/// Everything there is.
#[derive(Clone, Default)]
struct Shelves {
    partners: BTreeMap<PartnerId, Partner>,
    apis: BTreeMap<(Environment, ApiId), Api>,
    clients: BTreeMap<ClientId, Client>,
    secrets: Vec<ClientSecret>,
    operators: BTreeMap<OperatorId, Operator>,
    keys: Vec<SigningKeyRecord>,
    revoked_tokens: BTreeMap<TokenId, RevokedToken>,
    idempotency: BTreeMap<(OperatorId, IdempotencyKey), IdempotencyRecord>,
    meters: BTreeMap<Meter, u64>,
    notices: BTreeMap<NoticeId, KeptNotice>,
    /// Each operator's in the order in which they began.
    sessions: Vec<Session>,
    journal: Vec<JournalEntry>,
    master_key_check: Option<Vec<u8>>,
    usage: usage::Counted,
}

impl MemoryStore {
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        // A panic elsewhere cannot leave half a change: changes are made on a copy and put in place whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn sharing(&self) -> Sharing {
        Sharing::Sole
    }

    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        read(&mut *self.shelves())
    }

    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        let mut shelves = self.shelves();
        let mut changed = shelves.clone();
        let Some(Change {
            mut mutation,
            idempotency,
        }) = decide(&mut changed)?
        else {
            return Ok(None);
        };
        let epoch = changed.epoch()?.next();
        let previous_hash = changed.journal.last().map_or(ChainHash::GENESIS, |entry| entry.hash);
        mutation.stamp(epoch);
        let entry = mutation.entry(epoch, attribution, previous_hash);
        changed.apply(mutation)?;
        if let Some(record) = idempotency {
            changed
                .idempotency
                .insert((record.operator_id.clone(), record.key.clone()), record);
        }
        changed.journal.push(entry.clone());
        *shelves = changed;
        Ok(Some(entry))
    }

    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.shelves().record_usage(batch);
        Ok(())
    }

    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        Ok(self.shelves().usage.forget(before))
    }

    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        let mut shelves = self.shelves();
        let rows = |shelves: &Shelves| shelves.revoked_tokens.len() + shelves.idempotency.len() + shelves.meters.len();
        let before = rows(&shelves);
        shelves
            .revoked_tokens
            .retain(|_, token| token.expires_at + CLOCK_SKEW > now);
        shelves
            .idempotency
            .retain(|_, record| record.created_at + IdempotencyRecord::REMEMBERED_FOR > now);
        shelves.meters.retain(|meter, _| {
            let window = meter.window;
            window.start() + window.period().longest() + METERS_KEPT > now
        });
        Ok((before - rows(&shelves)) as u64)
    }

    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        let mut shelves = self.shelves();
        let drawn = shelves.meters.entry(meter.clone()).or_default();
        let granted = draw.granted(*drawn);
        *drawn += granted;
        Ok(Drawn { granted, total: *drawn })
    }

    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        let mut shelves = self.shelves();
        for undrawn in returns {
            if let Some(drawn) = shelves.meters.get_mut(&undrawn.meter) {
                *drawn = drawn.checked_sub(undrawn.tokens).unwrap_or(*drawn);
            }
        }
        Ok(())
    }

    fn board(&self) -> &dyn NoticeBoard {
        self
    }

    fn sessions(&self) -> &dyn SessionBook {
        self
    }

    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        self.shelves().master_key_check.get_or_insert_with(|| check.to_vec());
        Ok(())
    }
}

impl Follower for MemoryStore {
    fn after(&mut self, known: Known, limit: u16) -> Result<Vec<JournalEntry>, StoreError> {
        let after = Page {
            after: Some(known.epoch),
            limit,
        };
        let entries = self.shelves().journal(&JournalFilter::default(), &after)?;
        known.lead_to(&entries)?;
        Ok(entries)
    }
}

impl Shelves {
    fn apply(&mut self, mutation: Mutation) -> Result<(), CommitError> {
        match mutation {
            Mutation::PartnerRegistered(partner) => {
                unique(self.partners.get(&partner.partner_id), Noun::Partner, "partner_id")?;
                self.put_partner(partner);
            }
            Mutation::PartnerChanged(partner)
            | Mutation::PartnerSuspended(partner)
            | Mutation::PartnerReinstated(partner) => {
                self.put_partner(partner);
            }
            Mutation::ApiRegistered(api) => {
                let key = (api.environment, api.api_id.clone());
                unique(self.apis.get(&key), Noun::Api, "api_id")?;
                self.put_api(api)?;
            }
            Mutation::ApiChanged(api) => self.put_api(api)?,
            Mutation::ClientRegistered(client, secret) => {
                unique(self.clients.get(&client.client_id), Noun::Client, "client_id")?;
                self.put_client(client);
                self.add_secret(secret)?;
            }
            Mutation::ClientChanged(client)
            | Mutation::ClientSuspended(client)
            | Mutation::ClientReinstated(client)
            | Mutation::ClientRevoked(client) => self.put_client(client),
            Mutation::SecretAdded { secret, retiring, .. } => {
                self.add_secret(secret)?;
                for retiring in retiring {
                    self.put_secret(&retiring);
                }
            }
            Mutation::SecretRetired { secret, .. } => self.put_secret(&secret),
            Mutation::OperatorCreated(operator) => {
                unique(self.operators.get(&operator.operator_id), Noun::Operator, "operator_id")?;
                self.put_operator(operator)?;
            }
            Mutation::OperatorChanged(operator)
            | Mutation::OperatorTokenRotated(operator)
            | Mutation::OperatorRevoked(operator) => self.put_operator(operator)?,
            Mutation::KeyAnnounced(key) | Mutation::KeyActivated(key) | Mutation::KeyRetired(key) => {
                self.put_keys([Some(key), None])?;
            }
            Mutation::KeyImported { withdrawn, announced } => self.put_keys([withdrawn, Some(announced)])?,
            Mutation::KeyRotated { retiring, active } => self.put_keys([Some(retiring), Some(active)])?,
            Mutation::KeyRevoked { revoked, successor } => self.put_keys([Some(revoked), successor])?,
            Mutation::TokenRevoked(token) => {
                unique(self.revoked_tokens.get(&token.jti), Noun::Token, "jti")?;
                self.revoked_tokens.insert(token.jti.clone(), token);
            }
        }
        Ok(())
    }

    fn put_partner(&mut self, partner: Partner) {
        self.partners.insert(partner.partner_id.clone(), partner);
    }

    fn put_api(&mut self, api: Api) -> Result<(), Refusal> {
        let same_audience = |other: &&Api| {
            other.environment == api.environment && other.api_id != api.api_id && other.audience == api.audience
        };
        unique(self.apis.values().find(same_audience), Noun::Api, "audience")?;
        self.apis.insert((api.environment, api.api_id.clone()), api);
        Ok(())
    }

    fn put_client(&mut self, client: Client) {
        self.clients.insert(client.client_id.clone(), client);
    }

    fn add_secret(&mut self, secret: ClientSecret) -> Result<(), Refusal> {
        let same_id = |other: &&ClientSecret| other.secret_id == secret.secret_id;
        unique(self.secrets.iter().find(same_id), Noun::Secret, "secret_id")?;
        self.secrets.push(secret);
        Ok(())
    }

    fn put_secret(&mut self, secret: &ClientSecret) {
        for kept in self
            .secrets
            .iter_mut()
            .filter(|kept| kept.secret_id == secret.secret_id)
        {
            *kept = ClientSecret {
                last_used_at: kept.last_used_at,
                last_used_source: kept.last_used_source,
                ..secret.clone()
            };
        }
    }

    fn put_operator(&mut self, operator: Operator) -> Result<(), Refusal> {
        let others = || {
            self.operators
                .values()
                .filter(|other| other.operator_id != operator.operator_id)
        };
        let same_email = |other: &&Operator| {
            let both_active = operator.status == OperatorStatus::Active && other.status == OperatorStatus::Active;
            both_active && other.email == operator.email
        };
        unique(others().find(same_email), Noun::Operator, "email")?;
        let same_token = |other: &&Operator| other.token_digest.matches(&operator.token_digest);
        unique(others().find(same_token), Noun::Operator, "token")?;
        self.operators.insert(operator.operator_id.clone(), operator);
        Ok(())
    }

    /// In this order: the key that stops comes before the one that signs from now on.
    fn put_keys(&mut self, keys: [Option<SigningKeyRecord>; 2]) -> Result<(), Refusal> {
        keys.into_iter().flatten().try_for_each(|key| self.put_key(key))
    }

    fn put_key(&mut self, key: SigningKeyRecord) -> Result<(), Refusal> {
        let signs_too = |other: &SigningKeyRecord| {
            other.state == KeyState::Active && other.environment == key.environment && other.kid != key.kid
        };
        if key.state == KeyState::Active && self.keys.iter().any(signs_too) {
            return Err(ANOTHER_KEY_SIGNS);
        }
        match self.keys.iter_mut().find(|other| other.kid == key.kid) {
            Some(kept) => *kept = key,
            None => self.keys.push(key),
        }
        Ok(())
    }
}

/// Refuses what would be the second of its name: `other` has it.
fn unique<T>(other: Option<&T>, noun: Noun, field: &'static str) -> Result<(), Refusal> {
    match other {
        Some(_) => Err(Refusal::Taken { noun, field }),
        None => Ok(()),
    }
}
