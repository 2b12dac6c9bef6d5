//! The journal, read.

use super::{Administrator, Office, OfficeError};
use crate::domain::{ChainHash, Epoch, JournalEntry, Role};
use crate::store::{JournalFilter, Order, Page};

/// The end of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// The number of the last row.
    pub epoch: Epoch,
    /// Its hash.
    pub hash: ChainHash,
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

    /// The end of the journal.
    ///
    /// # Errors
    /// As [`Office::journal`].
    pub async fn journal_head(&self, who: &Administrator) -> Result<Head, OfficeError> {
        let newest = JournalFilter {
            order: Order::NewestFirst,
            ..JournalFilter::default()
        };
        let last = self.journal(who, newest, Page::first(1)).await?;
        Ok(last.first().map_or(
            Head {
                epoch: Epoch::ZERO,
                hash: ChainHash::GENESIS,
            },
            |entry| Head {
                epoch: entry.epoch,
                hash: entry.hash,
            },
        ))
    }
}
