//! Usage on its way between this replica and the store: put down at once, written and forgotten in bounded turns.

use std::sync::Arc;
use std::time::Instant;

use tokio::time::{sleep, timeout};

use super::Happening;
use crate::domain::Timestamp;
use crate::registry::{RegisteredClient, Registry};
use crate::store::{Asker, Store, StoreError};

/// How many batches are written in one turn, so that a question does not wait for a great many clients.
pub(in crate::registry) const BATCHES_A_TURN: usize = 10;
/// How many times as long as a batch took it rests behind it: of one core, writing has a fiftieth, however much there is to write.
const REST: u32 = 49;
/// How many pieces are forgotten in one turn.
const FORGOTTEN_A_TURN: usize = 10;

impl Registry {
    /// Puts down what happened to a client. Written by [`Registry::flush`].
    pub fn put_down(&self, client: &Arc<RegisteredClient>, now: Timestamp, happening: Happening<'_>) {
        self.usage.put(client, now, happening);
    }

    /// Writes all that was put down before, batch by batch, so that each is written in time. One flush follows another: a batch that was
    /// given up is still waited for, for as long as the door has patience.
    ///
    /// # Errors
    /// When the store does not answer in time; nothing is lost then, and nothing will be counted twice.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write_usage(self.usage.batches()).await
    }

    /// As [`Registry::flush`], for a thousand clients at the most, those that have waited longest.
    ///
    /// # Errors
    /// As [`Registry::flush`].
    pub async fn flush_some(&self) -> Result<(), StoreError> {
        self.write_usage(self.usage.batches().min(BATCHES_A_TURN)).await
    }

    /// As [`Registry::flush`]. What is more than one turn is written batch by batch, with long rests between, so that a great many clients
    /// keep neither the store from its other work nor this machine from issuing.
    ///
    /// # Errors
    /// As [`Registry::flush`].
    pub async fn flush_in_turns(&self) -> Result<(), StoreError> {
        let mut batches = self.usage.batches();
        while batches > BATCHES_A_TURN {
            let begun = Instant::now();
            self.write_usage(1).await?;
            batches -= 1;
            sleep(begun.elapsed() * REST).await;
        }
        self.write_usage(batches).await
    }

    async fn write_usage(&self, batches: usize) -> Result<(), StoreError> {
        let turn = Arc::clone(&self.flushing).lock_owned();
        let mut turn = timeout(self.door.patience(), turn)
            .await
            .map_err(|_| StoreError::Unavailable("the usage counted before is still being written".to_owned()))?;
        for _ in 0..batches {
            let Some(batch) = self.usage.next() else { break };
            let writing = Arc::clone(&batch);
            let work = move |store: &dyn Store| (store.record_usage(&writing), turn);
            let (outcome, returned) = self.door.call(Asker::House, work).await?;
            turn = returned;
            outcome?;
            self.usage.landed(&batch);
        }
        Ok(())
    }

    /// Forgets usage from before `before`, some thousand clients at the most; says how many rows went.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut rows = 0;
        for _ in 0..FORGOTTEN_A_TURN {
            match self
                .door
                .call(Asker::House, move |store| store.forget_usage(before))
                .await??
            {
                0 => break,
                gone => rows += gone,
            }
        }
        Ok(rows)
    }
}
