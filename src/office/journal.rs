//! The journal, read.

use super::{Administrator, Office, OfficeError};
use crate::domain::{
    BrokenChain, ChainHash, Environment, Epoch, JournalEntry, PartnerId, RequestId, Role, Spreadsheet,
};
use crate::store::{JournalFilter, Order, Page, Records, StoreError};

/// The head of the journal. It is kept beside the rows, so that it tells when the newest of them were cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Head {
    /// How many changes were made, and so the number of the last row.
    pub epoch: Epoch,
    /// The hash of that row; `None` when it is missing or unreadable, as it never is in a journal that is whole.
    pub hash: Option<ChainHash>,
}

/// A row of the journal, held against the row before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRow {
    /// The row.
    pub entry: JournalEntry,
    /// What is wrong with it; `None`: it has the hash of its content, and follows the row before it.
    pub broken: Option<BrokenChain>,
}

/// Rows of the journal, each held against the row before it, whether that is among them or not.
#[derive(Clone, Debug)]
pub struct CheckedRows {
    /// The rows.
    pub rows: Vec<CheckedRow>,
    /// That the newest rows are gone, where it is these that were asked for.
    pub cut_off: Option<BrokenChain>,
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

    /// Rows of the journal, checked.
    ///
    /// # Errors
    /// As [`Office::journal`].
    pub async fn checked_journal(
        &self,
        who: &Administrator,
        filter: JournalFilter,
        page: Page<Epoch>,
    ) -> Result<CheckedRows, OfficeError> {
        who.require(Role::Viewer)?;
        let newest = JournalFilter {
            order: Order::NewestFirst,
            ..JournalFilter::default()
        };
        let are_the_newest = filter == newest && page.after.is_none();
        let read = move |records: &mut dyn Records| {
            // Before the rows: what is written meanwhile can only make the journal longer.
            let head = records.epoch()?;
            let rows = records.journal(&filter, &page)?;
            let found = rows.first().map_or(Epoch::ZERO, |row| row.epoch);
            let broken: Result<Vec<_>, _> = rows.iter().map(|row| breach(records, row, &rows)).collect();
            let checked = rows.into_iter().zip(broken?);
            Ok(CheckedRows {
                rows: checked.map(|(entry, broken)| CheckedRow { entry, broken }).collect(),
                cut_off: (are_the_newest && found < head).then_some(BrokenChain::Truncated { found, head }),
            })
        };
        Ok(self.parts.registry.read(read).await?)
    }

    /// One row of the journal, checked, if there is one with this number.
    ///
    /// # Errors
    /// As [`Office::journal`].
    pub async fn checked_row(&self, who: &Administrator, epoch: Epoch) -> Result<Option<CheckedRow>, OfficeError> {
        who.require(Role::Viewer)?;
        let read = move |records: &mut dyn Records| {
            let Some(entry) = row_at(records, epoch)? else {
                return Ok(None);
            };
            let broken = breach(records, &entry, &[])?;
            Ok(Some(CheckedRow { entry, broken }))
        };
        Ok(self.parts.registry.read(read).await?)
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

/// What is wrong with a row, held against the one before it, which is looked for in `known` first.
fn breach(
    records: &mut dyn Records,
    row: &JournalEntry,
    known: &[JournalEntry],
) -> Result<Option<BrokenChain>, StoreError> {
    let expected = Epoch::new(row.epoch.get() - 1);
    let before = match known.iter().find(|other| other.epoch == expected) {
        Some(before) => Some(before.clone()),
        None if expected == Epoch::ZERO => None,
        None => row_at(records, expected)?,
    };
    Ok(match before {
        None if expected > Epoch::ZERO => Some(BrokenChain::Missing {
            expected,
            found: row.epoch,
        }),
        before => row.follows(before.as_ref()).err(),
    })
}

/// Rows of the journal for a spreadsheet, under the names they have in JSON.
#[must_use]
pub fn journal_spreadsheet(rows: &[JournalEntry]) -> String {
    let mut table = Spreadsheet::new([
        "epoch",
        "at",
        "actor",
        "action",
        "noun",
        "subject",
        "partner_id",
        "environment",
        "request_id",
        "detail",
        "previous_hash",
        "hash",
    ]);
    for row in rows {
        table.row([
            row.epoch.to_string().as_str(),
            row.at.to_string().as_str(),
            row.actor.as_str(),
            row.action.as_str(),
            row.noun.as_str(),
            row.subject.as_str(),
            row.partner_id.as_ref().map_or("", PartnerId::as_str),
            row.environment.map_or("", Environment::as_str),
            row.request_id.as_ref().map_or("", RequestId::as_str),
            row.detail.as_str(),
            row.previous_hash.to_string().as_str(),
            row.hash.to_string().as_str(),
        ]);
    }
    table.finish()
}
