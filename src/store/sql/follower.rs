//! Follows the journal over a connection of its own: one tiny question, and a second one only when the head has moved.

use super::records::{SqlRecords, head};
use crate::domain::{Epoch, JournalEntry};
use crate::store::connection::DbConn;
use crate::store::{Follower, JournalFilter, Page, Records as _, StoreError};

pub(super) struct JournalFollower {
    connection: DbConn,
}

impl JournalFollower {
    pub(super) const fn new(connection: DbConn) -> Self {
        Self { connection }
    }
}

impl Follower for JournalFollower {
    fn after(&mut self, known: Epoch, limit: u16) -> Result<Vec<JournalEntry>, StoreError> {
        let head = head(&mut self.connection)?;
        if head == known {
            return Ok(Vec::new());
        }
        if head < known {
            // An older copy of the database was put in place: what this replica remembers may never have happened.
            return Err(StoreError::Corrupt(format!(
                "the journal went back from epoch {known} to {head}"
            )));
        }
        let after = Page {
            after: Some(known),
            limit,
        };
        SqlRecords::new(&mut self.connection).journal(&JournalFilter::default(), &after)
    }
}
