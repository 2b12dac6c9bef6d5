//! Follows the journal over a connection of its own: one tiny question, and a second one only when the head has moved.
//!
//! On a new connection, once a second, and when the head has moved, the question asks for the last row's hash beside its number. So it is
//! noticed when another database is in place, or an older copy of this one, however many rows it has by then.

use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::failure::of_query;
use super::records::{SqlRecords, head};
use crate::domain::{ChainHash, Epoch, JournalEntry};
use crate::store::connection::DbConn;
use crate::store::schema::{epoch, journal};
use crate::store::{Follower, JournalFilter, Known, Page, Records as _, StoreError};

/// How often the hashes are compared where nothing has moved. Each comparison costs half as much again as the bare question.
const COMPARE_EVERY: Duration = Duration::from_secs(1);

pub(super) struct JournalFollower {
    connection: DbConn,
    /// What was last found to be the end of the journal, hash and all, over this connection; and when.
    compared: Option<(Known, Instant)>,
}

impl JournalFollower {
    pub(super) const fn new(connection: DbConn) -> Self {
        Self {
            connection,
            compared: None,
        }
    }

    fn was_compared(&self, known: Known) -> bool {
        self.compared
            .is_some_and(|(compared, at)| compared == known && at.elapsed() < COMPARE_EVERY)
    }

    /// The head and the hash of its row, from one moment.
    fn end(&mut self) -> Result<Known, StoreError> {
        let (number, hash): (i64, Option<String>) = epoch::table
            .left_join(journal::table.on(journal::epoch.eq(epoch::number)))
            .select((epoch::number, journal::hash.nullable()))
            .get_result(&mut self.connection)
            .map_err(|error| of_query("epoch", &error))?;
        let epoch = Epoch::new(number);
        let hash = match hash {
            Some(hash) => hash.parse().ok(),
            None => (epoch == Epoch::ZERO).then_some(ChainHash::GENESIS),
        };
        hash.map(|hash| Known { epoch, hash })
            .ok_or_else(|| super::no_hash_at(epoch))
    }
}

impl Follower for JournalFollower {
    fn after(&mut self, known: Known, limit: u16) -> Result<Vec<JournalEntry>, StoreError> {
        if self.was_compared(known) && head(&mut self.connection)? == known.epoch {
            return Ok(Vec::new());
        }
        let head = self.end()?;
        if head == known {
            self.compared = Some((known, Instant::now()));
            return Ok(Vec::new());
        }
        if head.epoch < known.epoch {
            // An older copy of the database was put in place: what this replica remembers may never have happened.
            let (known, head) = (known.epoch, head.epoch);
            return Err(StoreError::Corrupt(format!(
                "the journal went back from epoch {known} to {head}"
            )));
        }
        let after = Page {
            after: Some(known.epoch),
            limit,
        };
        let entries = SqlRecords::new(&mut self.connection).journal(&JournalFilter::default(), &after)?;
        if entries.is_empty() {
            return Err(known.not_there());
        }
        known.lead_to(&entries)?;
        Ok(entries)
    }
}
