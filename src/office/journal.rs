//! The journal, read.

use super::{Administrator, Office, OfficeError};
use crate::domain::{ChainHash, Epoch, JournalEntry, Role};
use crate::store::{JournalFilter, Page, Records, StoreError};

/// The head of the journal. It is kept beside the rows, so that it tells when the newest of them were cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// How many changes were made, and so the number of the last row.
    pub epoch: Epoch,
    /// The hash of that row; `None` when it is missing or unreadable, as it never is in a journal that is whole.
    pub hash: Option<ChainHash>,
}

impl Office {
    /// Rows of the journal.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn journal(
        &self,
        who: &Administrator,
        filter: JournalFilter,
        page: Page<Epoch>,
    ) -> Result<Vec<JournalEntry>, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        Ok(registry.read(move |records| records.journal(&filter, &page)).await?)
    }

    /// One row of the journal, if there is one with this number.
    ///
    /// # Errors
    /// As [`Office::journal`].
    pub async fn journal_row(&self, who: &Administrator, epoch: Epoch) -> Result<Option<JournalEntry>, OfficeError> {
        who.require(Role::Viewer)?;
        let registry = &self.parts.registry;
        Ok(registry.read(move |records| row_at(records, epoch)).await?)
    }

    /// The head of the journal, with the hash of the row that stands there.
    ///
    /// # Errors
    /// When the role does not allow it, or the store does not answer in time.
    pub async fn journal_head(&self, who: &Administrator) -> Result<Head, OfficeError> {
        who.require(Role::Viewer)?;
        let read = |records: &mut dyn Records| {
            let epoch = records.epoch()?;
            if epoch == Epoch::ZERO {
                return Ok(Head {
                    epoch,
                    hash: Some(ChainHash::GENESIS),
                });
            }
            let hash = match row_at(records, epoch) {
                Ok(row) => row.map(|row| row.hash),
                Err(StoreError::Corrupt(_)) => None,
                Err(unavailable @ StoreError::Unavailable(_)) => return Err(unavailable),
            };
            Ok(Head { epoch, hash })
        };
        Ok(self.parts.registry.read(read).await?)
    }
}

fn row_at(records: &mut dyn Records, epoch: Epoch) -> Result<Option<JournalEntry>, StoreError> {
    let page = Page {
        after: Some(Epoch::new(epoch.get() - 1)),
        limit: 1,
    };
    let rows = records.journal(&JournalFilter::default(), &page)?;
    Ok(rows.into_iter().find(|row| row.epoch == epoch))
}
