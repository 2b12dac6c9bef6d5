//! Usage: counted in memory beside each client, written in numbered batches, each of them once.
//!
//! A client of whom something was put down stands on a list until its turn comes; what its tally holds then goes into a batch, and
//! the batch is sent until the store says that it has it. The store knows the number of the last batch of each writer, so one that
//! was given up for lost and came all the same is not added again.

mod tally;
mod writing;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::registered::RegisteredClient;
use crate::domain::{SecretUse, Timestamp, UsageBatch, UsageCount, UsageWriter};

pub use tally::Happening;
pub(super) use tally::Tally;
#[cfg(test)]
pub(super) use writing::BATCHES_A_TURN;

/// How many clients are written down in one transaction.
pub(super) const CLIENTS_AT_A_TIME: usize = 100;

/// What is counted and not yet written.
pub(super) struct Usage {
    /// Clients of whom something was put down, the one that waits longest first. Holding them here keeps what was counted of a client
    /// that is no longer remembered.
    listed: Mutex<VecDeque<Arc<RegisteredClient>>>,
    most_listed: usize,
    outgoing: Mutex<Outgoing>,
    writer: UsageWriter,
}

/// What is on its way to the store.
#[derive(Default)]
struct Outgoing {
    /// The number of the last batch that was made.
    sequence: i64,
    /// The batch of that number, until the store has it.
    batch: Option<Arc<UsageBatch>>,
}

impl Usage {
    /// Counts under the name of `writer`, which nobody else has, for at most `most_listed` clients at a time. A client beyond that is
    /// counted all the same, and put on the list once there is room; what is lost is what was counted of one that was forgotten before.
    pub(super) fn new(writer: UsageWriter, most_listed: usize) -> Self {
        Self {
            listed: Mutex::default(),
            most_listed,
            outgoing: Mutex::default(),
            writer,
        }
    }

    /// Puts down what happened to `client`.
    pub(super) fn put(&self, client: &Arc<RegisteredClient>, at: Timestamp, happening: Happening<'_>) {
        let mut sheet = client.tally.sheet();
        sheet.put(at, happening, &client.secrets);
        if !sheet.is_listed {
            sheet.is_listed = self.list(client);
        }
    }

    /// Whether there was room.
    fn list(&self, client: &Arc<RegisteredClient>) -> bool {
        let mut listed = self.listed();
        let room = listed.len() < self.most_listed;
        if room {
            listed.push_back(Arc::clone(client));
        }
        room
    }

    /// How many batches it takes to write what has been put down.
    pub(super) fn batches(&self) -> usize {
        let sent = usize::from(self.outgoing().batch.is_some());
        sent + self.listed().len().div_ceil(CLIENTS_AT_A_TIME)
    }

    /// The batch to send now: the last one again, unless the store [has it](Usage::landed). `None`: there is nothing to write.
    pub(super) fn next(&self) -> Option<Arc<UsageBatch>> {
        let mut outgoing = self.outgoing();
        if outgoing.batch.is_none() {
            let sequence = outgoing.sequence + 1;
            outgoing.batch = self.gather(sequence).map(Arc::new);
            outgoing.sequence = sequence;
        }
        outgoing.batch.clone()
    }

    /// The store has `batch`.
    pub(super) fn landed(&self, batch: &UsageBatch) {
        let mut outgoing = self.outgoing();
        if outgoing.sequence == batch.sequence {
            outgoing.batch = None;
        }
    }

    fn gather(&self, sequence: i64) -> Option<UsageBatch> {
        let clients: Vec<_> = {
            let mut listed = self.listed();
            let many = listed.len().min(CLIENTS_AT_A_TIME);
            listed.drain(..many).collect()
        };
        let (mut counts, mut uses) = (Vec::new(), Vec::new());
        for client in &clients {
            let secrets = &client.secrets;
            client.tally.sheet().take(
                |line| {
                    counts.push(UsageCount {
                        hour: line.hour,
                        environment: client.client.environment,
                        partner_id: client.partner_id().cloned(),
                        client_id: client.client.client_id.clone(),
                        scope: line.scope.clone(),
                        outcome: line.outcome,
                        requests: line.requests,
                    });
                },
                |used| {
                    uses.push(SecretUse {
                        secret_id: secrets[used.place].secret_id.clone(),
                        at: used.at,
                        source: used.source,
                    });
                },
            );
        }
        let hours = counts.iter().map(|count| count.hour);
        let at = hours.chain(uses.iter().map(|used| used.at)).max()?;
        Some(UsageBatch {
            writer: self.writer.clone(),
            sequence,
            at,
            counts,
            uses,
        })
    }

    fn listed(&self) -> MutexGuard<'_, VecDeque<Arc<RegisteredClient>>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn outgoing(&self) -> MutexGuard<'_, Outgoing> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
