//! What was held for clients that are no longer remembered. Whoever is read again finds it; the rest goes back to the store.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::block::{Balance, Block};
use crate::domain::{Environment, Limit, Meter, MeterHolder, Period, Window};

/// Whose tokens are held, and for how long they count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) holder: MeterHolder,
    pub(super) environment: Environment,
    pub(super) period: Period,
}

impl Key {
    /// The meter of one window.
    pub(super) fn meter(&self, window: Window) -> Meter {
        Meter {
            holder: self.holder.clone(),
            environment: self.environment,
            window,
        }
    }

    /// The quota it counts in.
    pub(super) const fn quota(&self) -> Limit {
        self.holder.quota(self.period)
    }
}

/// Blocks that nobody holds. One key has several where a client was read again while it was being forgotten.
#[derive(Default)]
pub(super) struct Leftovers(Mutex<HashMap<Key, Vec<Block>>>);

impl Leftovers {
    fn blocks(&self) -> MutexGuard<'_, HashMap<Key, Vec<Block>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a block, if there is anything in it.
    pub(super) fn leave(&self, key: &Key, block: Block) {
        if block.is_worth_keeping() {
            self.blocks().entry(key.clone()).or_default().push(block);
        }
    }

    /// Takes a block that was left.
    pub(super) fn adopt(&self, key: &Key) -> Option<Block> {
        let mut blocks = self.blocks();
        let left = blocks.get_mut(key)?;
        let adopted = left.pop();
        if left.is_empty() {
            blocks.remove(key);
        }
        adopted
    }

    /// Takes all there is.
    pub(super) fn balances(&self) -> Vec<(Key, Balance)> {
        let all = std::mem::take(&mut *self.blocks());
        let each = |(key, left): (Key, Vec<Block>)| {
            let balances = left.into_iter().filter_map(|mut block| block.surrender());
            balances.map(|balance| (key.clone(), balance)).collect::<Vec<_>>()
        };
        all.into_iter().flat_map(each).collect()
    }
}
