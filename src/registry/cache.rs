//! The clients a replica remembers: as many as it is given room for, and never one that a commit has overtaken.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::alike::Alike;
use super::registered::RegisteredClient;
use crate::domain::{Action, ClientId, JournalEntry, Noun};

/// Identifiers nobody has, remembered so that a flood of them does not reach the store.
const STRANGERS_REMEMBERED: usize = 10_000;

/// The clients remembered, and the identifiers known to be nobody's.
pub(super) struct ClientCache {
    known: Cache<ClientId, Arc<RegisteredClient>>,
    strangers: Cache<ClientId, ()>,
    alike: Alike,
    /// How many journal entries were applied. A fill that began before the last of them is not kept.
    generation: Mutex<u64>,
}

/// When a fill began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

/// What this replica knows of an identifier by itself.
pub enum Remembered {
    /// The client.
    Known(Arc<RegisteredClient>),
    /// That it is nobody's.
    Stranger,
    /// Nothing: only the store knows.
    Forgotten,
}

impl ClientCache {
    /// Room for `capacity` clients.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            strangers: Cache::new(STRANGERS_REMEMBERED),
            alike: Alike::default(),
            generation: Mutex::new(0),
        }
    }

    pub(super) fn get(&self, client_id: &ClientId) -> Remembered {
        match self.known.get(client_id) {
            Some(client) => Remembered::Known(client),
            None if self.strangers.get(client_id).is_some() => Remembered::Stranger,
            None => Remembered::Forgotten,
        }
    }

    /// What those that are remembered have in common.
    pub(super) const fn alike(&self) -> &Alike {
        &self.alike
    }

    /// The moment before a fill reads anything.
    pub(super) fn begin_fill(&self) -> Generation {
        Generation(*self.generation.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what a fill found, unless something was committed since the fill `began`; says whether it was kept. What was
    /// not kept may be out of date and must be read again.
    pub(super) fn end_fill(
        &self,
        began: Generation,
        client_id: &ClientId,
        found: Option<&Arc<RegisteredClient>>,
    ) -> bool {
        let generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        if *generation != began.0 {
            return false;
        }
        match found {
            Some(client) => self.known.insert(client_id.clone(), Arc::clone(client)),
            None => self.strangers.insert(client_id.clone(), ()),
        }
        true
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        self.known.clear();
        self.strangers.clear();
        *generation += 1;
    }

    /// Forgets the clients that `entry` may have changed, and no others. Whatever was being read meanwhile is not kept.
    pub(super) fn apply(&self, entry: &JournalEntry) {
        let mut generation = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        match entry.noun {
            Noun::Client => match entry.subject.parse::<ClientId>() {
                Ok(client_id) => {
                    self.known.remove(&client_id);
                    self.strangers.remove(&client_id);
                }
                Err(_) => self.known.clear(),
            },
            Noun::Partner => self.known.retain(|_, client| !is_under(client, entry)),
            Noun::Api => self.known.retain(|_, client| !is_in_environment_of(client, entry)),
            Noun::Secret => self.known.retain(|_, client| !may_have_secret(client, entry)),
            Noun::Operator | Noun::Key | Noun::Token => return,
        }
        *generation += 1;
    }
}

/// Whether the partner `entry` is about stands above `client`.
fn is_under(client: &RegisteredClient, entry: &JournalEntry) -> bool {
    client
        .partners
        .iter()
        .any(|partner| partner.partner_id.as_str() == entry.subject)
}

/// Whether `client` is where `entry` is: an API of that environment may be one its tokens are for.
fn is_in_environment_of(client: &RegisteredClient, entry: &JournalEntry) -> bool {
    entry
        .environment
        .is_none_or(|environment| client.client.environment == environment)
}

/// Whether the secret `entry` is about is `client`'s, or may be: of a secret that was added the journal names the partner and the
/// environment, not the client.
fn may_have_secret(client: &RegisteredClient, entry: &JournalEntry) -> bool {
    let has_it = client
        .secrets
        .iter()
        .any(|secret| secret.secret_id.as_str() == entry.subject);
    let is_beside_it = is_in_environment_of(client, entry) && client.client.partner_id() == entry.partner_id.as_ref();
    has_it || (is_beside_it && entry.action != Action::SecretRetired)
}
