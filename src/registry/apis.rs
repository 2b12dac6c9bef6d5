//! The APIs of each environment, as the public metadata tells them: read once, and again after one of them has changed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::{Api, Environment, JournalEntry, Noun};

/// The APIs remembered.
#[derive(Default)]
pub(super) struct RememberedApis([Mutex<Place>; Environment::ALL.len()]);

#[derive(Default)]
struct Place {
    apis: Option<Arc<[Api]>>,
    /// How often they were forgotten. What was read before the last time is not kept.
    generation: u64,
}

/// When a reading began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Began(u64);

impl RememberedApis {
    /// The APIs of `environment`, or the moment before they are read.
    pub(super) fn get(&self, environment: Environment) -> Result<Arc<[Api]>, Began> {
        let place = self.place(environment);
        place.apis.clone().ok_or(Began(place.generation))
    }

    /// Keeps what was read, unless one of them changed since the reading `began`; says whether it was kept.
    pub(super) fn keep(&self, environment: Environment, began: Began, read: &Arc<[Api]>) -> bool {
        let mut place = self.place(environment);
        if place.generation != began.0 {
            return false;
        }
        place.apis = Some(Arc::clone(read));
        true
    }

    /// Forgets what `entry` may have changed.
    pub(super) fn apply(&self, entry: &JournalEntry) {
        if entry.noun != Noun::Api {
            return;
        }
        for environment in Environment::ALL {
            if entry.environment.is_none_or(|changed| changed == environment) {
                self.forget(environment);
            }
        }
    }

    /// Forgets the APIs of `environment`.
    pub(super) fn forget(&self, environment: Environment) {
        let mut place = self.place(environment);
        place.apis = None;
        place.generation += 1;
    }

    fn place(&self, environment: Environment) -> MutexGuard<'_, Place> {
        self.0[environment as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
