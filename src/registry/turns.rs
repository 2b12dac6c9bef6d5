//! Turns: of all who want to read the same thing, one reads and the others wait to find it in memory.
//!
//! Nothing is handed from one to the next but the turn. Whoever gets it looks into memory again, so what may be remembered is
//! decided in one place, and a reading that fails or is given up harms nobody but the request it was for.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

use crate::store::StoreError;

/// How many different things can be read at a time, one for each value of a byte; far more than the store has connections. Two things
/// may share a turn, and then one waits for the other.
const TURNS: usize = 1 << u8::BITS;

/// The turns, by what is wanted.
pub(super) struct Turns {
    places: [Mutex<()>; TURNS],
    hasher: RandomState,
    patience: Duration,
}

impl Turns {
    /// All free. Nobody waits for one longer than `patience`.
    pub(super) fn new(patience: Duration) -> Self {
        Self {
            places: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            patience,
        }
    }

    /// The turn to read `wanted`.
    ///
    /// # Errors
    /// When others had it for too long.
    pub(super) async fn take(&self, wanted: &impl Hash) -> Result<MutexGuard<'_, ()>, StoreError> {
        let [at, ..] = self.hasher.hash_one(wanted).to_le_bytes();
        timeout(self.patience, self.places[usize::from(at)].lock())
            .await
            .map_err(|_| StoreError::Unavailable("another request was reading the same for too long".to_owned()))
    }
}
