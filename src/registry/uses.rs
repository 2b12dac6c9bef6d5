//! When secrets were last used: gathered in memory, written every few seconds and at the end.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::{SecretId, Timestamp};
use crate::store::SecretUse;

/// Uses not written yet. Bounded by the number of secrets there are.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashMap<SecretId, Timestamp>>);

impl Uses {
    /// Notes that a secret was used.
    pub(super) fn note(&self, secret_id: &SecretId, now: Timestamp) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match uses.get_mut(secret_id) {
            Some(at) => *at = now.max(*at),
            None => drop(uses.insert(secret_id.clone(), now)),
        }
    }

    /// Takes all that is to be written.
    pub(super) fn take(&self) -> Vec<SecretUse> {
        let uses = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        uses.into_iter()
            .map(|(secret_id, at)| SecretUse { secret_id, at })
            .collect()
    }

    /// Puts back what could not be written.
    pub(super) fn put_back(&self, unwritten: &[SecretUse]) {
        for used in unwritten {
            self.note(&used.secret_id, used.at);
        }
    }
}
