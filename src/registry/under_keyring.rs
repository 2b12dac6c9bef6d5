//! What was learned under the keys of an environment, and goes when they change.
//!
//! Each [`Shelf`] belongs to one [`Keyring`] and to no other: a key that is revoked, or changed in any way, makes a new keyring, whose
//! shelf is empty. What a request learns it puts on the shelf of the keyring it worked with. So a request that began under the old keys
//! cannot bring back under the new ones what it learned, however late it ends.

use std::hash::Hash;
use std::sync::{Arc, Weak};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;

use super::keyring::Keyring;

/// The shelf of the keyring last worked with.
pub struct UnderKeyring<K, V> {
    room: usize,
    shelf: ArcSwap<Shelf<K, V>>,
}

/// What was learned under one keyring, as much as there is room for.
pub struct Shelf<K, V> {
    /// Held weakly: the private key goes when the registry lets it go. The address stays taken, so no later keyring has it.
    keyring: Weak<Keyring>,
    learned: Cache<K, V>,
}

impl<K: Eq + Hash, V: Clone> UnderKeyring<K, V> {
    /// Nothing, with room for so much.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self {
            room,
            shelf: ArcSwap::from_pointee(Shelf::new(Weak::new(), room)),
        }
    }

    /// The shelf of `keyring`: an empty one, unless it is still the keyring of the last call.
    pub fn shelf(&self, keyring: &Arc<Keyring>) -> Arc<Shelf<K, V>> {
        let current = self.shelf.load_full();
        if std::ptr::eq(current.keyring.as_ptr(), Arc::as_ptr(keyring)) {
            return current;
        }
        let empty = Arc::new(Shelf::new(Arc::downgrade(keyring), self.room));
        self.shelf.store(Arc::clone(&empty));
        empty
    }
}

impl<K: Eq + Hash, V: Clone> Shelf<K, V> {
    fn new(keyring: Weak<Keyring>, room: usize) -> Self {
        let learned = Cache::new(room);
        Self { keyring, learned }
    }

    /// What was learned of `key`.
    pub fn get(&self, key: &K) -> Option<V> {
        self.learned.get(key)
    }

    /// Puts down what was learned of `key`.
    pub fn put(&self, key: K, value: V) {
        self.learned.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::Environment;
    use crate::store::{MasterKey, MemoryStore, Store as _};

    /// A keyring as it is after each change of the keys: another one.
    fn keyring() -> Arc<Keyring> {
        let folder = tempfile::tempdir().unwrap();
        let master_key = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new()).unwrap();
        let mut keyring = None;
        MemoryStore::default()
            .read(&mut |records| {
                keyring = Keyring::read(records, Environment::Qa, &master_key.sealer()).ok();
                Ok(())
            })
            .unwrap();
        Arc::new(keyring.unwrap())
    }

    #[test]
    fn what_was_learned_under_one_keyring_is_found_under_it_and_no_other() {
        let learned = UnderKeyring::new(10);
        let (before, after) = (keyring(), keyring());
        learned.shelf(&before).put(1, "one");
        assert_eq!(learned.shelf(&before).get(&1), Some("one"));
        assert_eq!(learned.shelf(&after).get(&1), None);
        assert_eq!(learned.shelf(&before).get(&1), None, "a shelf that was left is empty");
    }

    #[test]
    fn what_is_learned_late_under_old_keys_stays_with_them() {
        let learned = UnderKeyring::new(10);
        let (before, after) = (keyring(), keyring());
        let late = learned.shelf(&before);
        assert_eq!(learned.shelf(&after).get(&1), None);
        late.put(1, "one");
        assert_eq!(learned.shelf(&after).get(&1), None);
    }

    #[test]
    fn no_later_keyring_is_taken_for_one_that_is_gone() {
        let learned = UnderKeyring::new(10);
        for number in 0..100 {
            let keyring = keyring();
            let under_it = learned.shelf(&keyring);
            assert_eq!(under_it.get(&0), None, "keyring {number}");
            under_it.put(0, number);
        }
    }
}
