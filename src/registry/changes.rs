//! When partners, APIs and clients last changed, as far as a replica has applied the journal. By it a remembered client, or one that
//! is being read, is known to be overtaken, whatever number of others is remembered.
//!
//! Partners and clients are told apart by a hash. Two of them may share a place, and then one counts as changed with the other:
//! it is read once more, which does no harm. What changed never counts as unchanged.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::registered::RegisteredClient;
use crate::domain::{ClientId, Environment, Partner};

/// How many partners, and how many clients, are told apart. A client can be read while hundreds of others change.
const PLACES: usize = 4096;

/// A point in the order of the changes that were applied: how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

/// The moment of the last change to each thing.
pub(super) struct Changes {
    latest: AtomicU64,
    partners: Box<[AtomicU64]>,
    environments: [AtomicU64; Environment::ALL.len()],
    /// Behind locks, so that to compare and to keep are one step.
    clients: Box<[Mutex<Moment>]>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            latest: AtomicU64::new(0),
            partners: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            environments: Default::default(),
            clients: (0..PLACES).map(|_| Mutex::default()).collect(),
        }
    }
}

impl Changes {
    /// Now. What is read from the store after this contains every change up to this moment.
    pub(super) fn now(&self) -> Moment {
        Moment(self.latest.load(Ordering::Acquire))
    }

    /// This partner changed. `subject` is its id, as the journal has it.
    pub(super) fn partner(&self, subject: &str) {
        self.raise(&self.partners[place_of(subject)]);
    }

    /// Something changed that clients of this environment may depend on; of both, where none is named.
    pub(super) fn environment(&self, environment: Option<Environment>) {
        for each in Environment::ALL {
            if environment.is_none_or(|changed| changed == each) {
                self.raise(&self.environments[each as usize]);
            }
        }
    }

    /// This client changed. Whoever forgets it does so after this call.
    pub(super) fn client(&self, client_id: &ClientId) {
        let moment = self.next();
        let mut last = self.last_change_of(client_id);
        *last = moment.max(*last);
    }

    /// Every client may have changed. Whoever forgets them does so after this call.
    pub(super) fn every_client(&self) {
        let moment = self.next();
        for place in &self.clients {
            let mut last = place.lock().unwrap_or_else(PoisonError::into_inner);
            *last = moment.max(*last);
        }
    }

    /// The last change of this client. While the guard is held there is no other.
    pub(super) fn last_change_of(&self, client_id: &ClientId) -> MutexGuard<'_, Moment> {
        self.clients[place_of(client_id.as_str())]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing that `client` depends on beside itself has changed since `read`: its partners, and the APIs of its environment.
    pub(super) fn left_unchanged(&self, client: &RegisteredClient, read: Moment) -> bool {
        let is_older = |changed: &AtomicU64| changed.load(Ordering::Acquire) <= read.0;
        let stands = |partner: &Partner| is_older(&self.partners[place_of(partner.partner_id.as_str())]);
        is_older(&self.environments[client.client.environment as usize]) && client.partners.iter().all(stands)
    }

    /// The moment comes before it is put down: who reads between the two reads what changed, and is at worst asked to read again.
    fn raise(&self, place: &AtomicU64) {
        place.fetch_max(self.next().0, Ordering::AcqRel);
    }

    fn next(&self) -> Moment {
        Moment(self.latest.fetch_add(1, Ordering::AcqRel) + 1)
    }
}

/// Where a partner or a client stands. The hash is the same in every process: whoever makes two ids share a place gains nothing.
fn place_of(id: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    let [low, high, ..] = hasher.finish().to_le_bytes();
    usize::from(u16::from_le_bytes([low, high])) % PLACES
}
