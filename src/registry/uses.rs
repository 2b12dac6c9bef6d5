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

    /// All that is to be written. It stays noted until it is [struck off](Uses::strike), so that a write that fails or is given up
    /// loses nothing.
    pub(super) fn noted(&self) -> Vec<SecretUse> {
        let uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        uses.iter()
            .map(|(secret_id, at)| SecretUse {
                secret_id: secret_id.clone(),
                at: *at,
            })
            .collect()
    }

    /// Strikes off what was written, except what was used again since.
    pub(super) fn strike(&self, written: &[SecretUse]) {
        let mut uses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for used in written {
            if uses.get(&used.secret_id) == Some(&used.at) {
                uses.remove(&used.secret_id);
            }
        }
    }
}
