//! The clients a replica remembers: as many as it is given room for, and never one that a commit has overtaken.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, UnitWeighter};
use serde::Deserialize;

use super::alike::Alike;
use super::changes::{Changes, Moment};
use super::registered::RegisteredClient;
use crate::domain::{ClientId, JournalEntry, Noun};

/// Identifiers nobody has, remembered so that a flood of them does not reach the store.
const STRANGERS_REMEMBERED: usize = 10_000;

/// Into how many shards the clients are dealt out, where there are enough of them: as many cores seldom wait for each other.
const SHARDS: usize = 32;

/// The clients remembered, and the identifiers known to be nobody's.
pub(super) struct ClientCache {
    known: Cache<OfItsId, Kept>,
    strangers: Cache<ClientId, ()>,
    alike: Alike,
    changes: Changes,
}

/// A client, found by the id it holds: the id is not held a second time.
#[derive(Clone)]
struct OfItsId(Arc<RegisteredClient>);

impl Borrow<ClientId> for OfItsId {
    fn borrow(&self) -> &ClientId {
        &self.0.client.client_id
    }
}

impl PartialEq for OfItsId {
    fn eq(&self, other: &Self) -> bool {
        self.0.client.client_id == other.0.client.client_id
    }
}

impl Eq for OfItsId {}

impl Hash for OfItsId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.client.client_id.hash(state);
    }
}

/// A client, and the moment before it was read. It lies here until it is read again or makes room, also when a partner above it has
/// changed since: that is seen when it is looked for, so a change costs the same however many clients it reaches.
#[derive(Clone)]
struct Kept {
    client: Arc<RegisteredClient>,
    read: Moment,
}

/// What this replica knows of an identifier by itself.
pub enum Remembered {
    /// The client.
    Known(Arc<RegisteredClient>),
    /// That it is nobody's.
    Stranger,
    /// Nothing: only the store knows.
    Forgotten,
}

/// The room in which so many clients all have their places. It is dealt out evenly to the shards and the clients by hash: to a shard come
/// a 32nd of them, give or take the root of that, and five times the root more is had for each.
const fn room(capacity: usize) -> usize {
    capacity + 5 * (capacity * SHARDS).isqrt()
}

impl ClientCache {
    /// Room for `capacity` clients, whichever they are.
    pub(super) fn new(capacity: usize) -> Self {
        let room = room(capacity);
        let options = OptionsBuilder::new()
            .shards(SHARDS)
            .estimated_items_capacity(room)
            .weight_capacity(room as u64)
            .build()
            .expect("the capacities are given");
        Self {
            known: Cache::with_options(
                options,
                UnitWeighter,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            strangers: Cache::new(STRANGERS_REMEMBERED),
            alike: Alike::default(),
            changes: Changes::default(),
        }
    }

    pub(super) fn get(&self, client_id: &ClientId) -> Remembered {
        match self.known.get(client_id) {
            Some(kept) if self.changes.left_unchanged(&kept.client, kept.read) => Remembered::Known(kept.client),
            None if self.strangers.get(client_id).is_some() => Remembered::Stranger,
            Some(_) | None => Remembered::Forgotten,
        }
    }

    /// What those that are remembered have in common.
    pub(super) const fn alike(&self) -> &Alike {
        &self.alike
    }

    /// The moment before a fill reads anything.
    pub(super) fn begin_fill(&self) -> Moment {
        self.changes.now()
    }

    /// Keeps what a fill found, unless something it depends on changed since the fill `began`; says whether it was kept. What was
    /// not kept may be out of date and must be read again.
    pub(super) fn end_fill(&self, began: Moment, client_id: &ClientId, found: Option<&Arc<RegisteredClient>>) -> bool {
        let last_change = self.changes.last_change_of(client_id);
        if *last_change > began || found.is_some_and(|client| !self.changes.left_unchanged(client, began)) {
            return false;
        }
        match found {
            Some(client) => {
                let kept = Kept {
                    client: Arc::clone(client),
                    read: began,
                };
                self.known.insert(OfItsId(Arc::clone(client)), kept);
            }
            None => self.strangers.insert(client_id.clone(), ()),
        }
        true
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.changes.every_client();
        self.known.clear();
        self.strangers.clear();
    }

    /// Forgets the clients that `entry` may have changed, and no others. Of what is being read meanwhile, that which `entry` may have
    /// changed is not kept.
    pub(super) fn apply(&self, entry: &JournalEntry) {
        match entry.noun {
            Noun::Client => match entry.subject.parse::<ClientId>() {
                Ok(client_id) => self.forget(&client_id),
                Err(_) => self.clear(),
            },
            Noun::Secret => match serde_json::from_str::<SecretDetail>(&entry.detail) {
                Ok(SecretDetail::Added { secret } | SecretDetail::Retired(secret)) => self.forget(&secret.client_id),
                Err(_) => self.changes.environment(entry.environment),
            },
            Noun::Partner => self.changes.partner(&entry.subject),
            Noun::Api => self.changes.environment(entry.environment),
            Noun::Operator | Noun::Key | Noun::Token => {}
        }
    }

    /// The change is put down first, so that a fill either ends before and is forgotten here, or is not kept.
    fn forget(&self, client_id: &ClientId) {
        self.changes.client(client_id);
        self.known.remove(client_id);
        self.strangers.remove(client_id);
    }
}

/// What the journal says of a secret, as far as it tells whose it is.
#[derive(Deserialize)]
#[serde(untagged)]
enum SecretDetail {
    Added { secret: OfClient },
    Retired(OfClient),
}

#[derive(Deserialize)]
struct OfClient {
    client_id: ClientId,
}

#[cfg(test)]
mod tests;
