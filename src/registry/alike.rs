//! What many clients have in common, held once: the partners above them and what they may have. A hundred thousand clients of a
//! thousand partners then take a third of the room.
//!
//! Nothing is ever taken from here that was not read for the client itself: only what is equal, down to the epoch of its last change,
//! is put in the place of what was read.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::registered::{Entitlements, RegisteredClient};
use crate::domain::{Partner, PartnerId};

/// How many of each are held; a client that finds its own gone keeps what was read for it.
const HELD: usize = 10_000;

/// The partners and entitlements that were last read.
pub(super) struct Alike {
    partners: Cache<PartnerId, Arc<[Partner]>>,
    entitlements: Cache<String, Arc<Entitlements>>,
}

impl Default for Alike {
    fn default() -> Self {
        Self {
            partners: Cache::new(HELD),
            entitlements: Cache::new(HELD),
        }
    }
}

impl Alike {
    /// `client`, holding together with others what is equal.
    pub(super) fn share(&self, client: RegisteredClient) -> RegisteredClient {
        let partners = match client.partners.first() {
            Some(partner) => shared(&self.partners, &partner.partner_id, client.partners.clone()),
            None => client.partners,
        };
        let entitlements = match client.entitlements.everything() {
            Some(everything) => {
                let name = everything.scope_text().to_owned();
                shared(&self.entitlements, &name, client.entitlements)
            }
            None => client.entitlements,
        };
        RegisteredClient {
            partners,
            entitlements,
            ..client
        }
    }
}

/// What is held under `name` if it equals `read`; else `read`, which is held from now on.
fn shared<K, T>(held: &Cache<K, Arc<T>>, name: &K, read: Arc<T>) -> Arc<T>
where
    K: Clone + Eq + std::hash::Hash,
    T: ?Sized + PartialEq,
{
    match held.get(name) {
        Some(known) if known == read => known,
        _ => {
            held.insert(name.clone(), Arc::clone(&read));
            read
        }
    }
}
