//! The clients a replica remembers: as many as it is given room for, and never one that a commit has overtaken.

use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::registered::RegisteredClient;
use crate::domain::{ClientId, JournalEntry, Noun};

/// Identifiers nobody has, remembered so that a flood of them does not reach the store.
const STRANGERS_REMEMBERED: usize = 10_000;

/// The clients remembered, and the identifiers known to be nobody's.
pub(super) struct ClientCache {
    known: Cache<ClientId, Arc<RegisteredClient>>,
    strangers: Cache<ClientId, ()>,
    /// How many journal entries were applied. A fill that began before the last of them is not kept.
    generation: Mutex<u64>,
}

/// When a fill began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Generation(u64);

/// What the cache knows of an identifier.
pub(super) enum Remembered {
    /// The client.
    Known(Arc<RegisteredClient>),
    /// That it is nobody's.
    Stranger,
    /// Nothing.
    Forgotten,
}

impl ClientCache {
    /// Room for `capacity` clients.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            known: Cache::new(capacity),
            strangers: Cache::new(STRANGERS_REMEMBERED),
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

    /// Forgets what `entry` may have changed. Partners and APIs reach many clients, so all are forgotten; they change seldom.
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
            Noun::Partner | Noun::Api | Noun::Secret => self.known.clear(),
            Noun::Operator | Noun::Key | Noun::Token => return,
        }
        *generation += 1;
    }
}
