//! What remembered clients hold together, such as the bucket of a rate: one for each key, which a client that is read again finds.
//!
//! There is room for a certain number of clients, and now and then what none of them holds is let go: so there is a bound here too.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many are kept before anything is looked through.
const LEAST_FULL: usize = 1024;

/// Everything somebody holds, and more that was not long let go.
pub(super) struct Held<K, V> {
    kept: Mutex<Kept<K, V>>,
    /// Whether nothing is lost with what nobody holds.
    may_go: fn(&V) -> bool,
}

struct Kept<K, V> {
    values: HashMap<K, Arc<V>>,
    /// At how many to look for those that may go.
    full_at: usize,
}

impl<K: Eq + Hash, V> Held<K, V> {
    /// Nothing yet. What nobody holds goes by itself when it `may_go`; else it stays until it is [taken](Held::take_unheld).
    pub(super) fn new(may_go: fn(&V) -> bool) -> Self {
        let kept = Kept {
            values: HashMap::new(),
            full_at: LEAST_FULL,
        };
        Self {
            kept: Mutex::new(kept),
            may_go,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one under this key, which is made where there is none.
    pub(super) fn hold(&self, key: K, make: impl FnOnce(&K) -> V) -> Arc<V> {
        let mut kept = self.kept();
        if kept.values.len() >= kept.full_at {
            kept.values.retain(|_, value| is_held(value) || !(self.may_go)(value));
            kept.full_at = LEAST_FULL.max(2 * kept.values.len());
        }
        match kept.values.entry(key) {
            Entry::Occupied(place) => Arc::clone(place.get()),
            Entry::Vacant(place) => {
                let value = Arc::new(make(place.key()));
                Arc::clone(place.insert(value))
            }
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<V>> {
        self.kept().values.values().cloned().collect()
    }

    /// Takes out those that nobody holds.
    pub(super) fn take_unheld(&self) -> Vec<Arc<V>> {
        let mut kept = self.kept();
        let unheld = kept.values.extract_if(|_, value| !is_held(value));
        unheld.map(|(_, value)| value).collect()
    }
}

/// Whether anybody but the table has it. Nobody else gets it while the table is locked.
fn is_held<V>(value: &Arc<V>) -> bool {
    Arc::strong_count(value) > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 10 * LEAST_FULL;

    fn count(held: &Held<usize, usize>) -> usize {
        held.kept().values.len()
    }

    #[test]
    fn what_nobody_holds_takes_bounded_room_and_what_is_held_is_found_again() {
        let held = Held::new(|_| true);
        let one = held.hold(0, |key| *key);
        for key in 1..MANY {
            held.hold(key, |key| *key);
        }
        assert!(count(&held) <= LEAST_FULL, "{}", count(&held));
        let again = held.hold(0, |_| unreachable!("it is held"));
        assert!(Arc::ptr_eq(&one, &again));
    }

    #[test]
    fn all_that_is_held_has_room() {
        let held = Held::new(|_| true);
        let holders: Vec<_> = (0..MANY).map(|key| held.hold(key, |key| *key)).collect();
        assert_eq!((count(&held), held.all().len()), (MANY, MANY));
        drop(holders);
        held.hold(MANY, |key| *key);
        held.take_unheld();
        assert_eq!(count(&held), 0);
    }

    #[test]
    fn what_may_not_go_stays_until_it_is_taken() {
        let held = Held::new(|value: &usize| value.is_multiple_of(2));
        let one = held.hold(1, |key| *key);
        for key in 2..MANY {
            held.hold(key, |key| *key);
        }
        let mut unheld: Vec<usize> = held.take_unheld().iter().map(|value| **value).collect();
        unheld.retain(|value| value % 2 == 1);
        unheld.sort_unstable();
        assert!(unheld.into_iter().eq((3..MANY).step_by(2)), "and the one that is held");
        assert_eq!(count(&held), 1);
        drop(one);
    }
}
