//! Journal rows.

use diesel::prelude::*;

use super::Columns;
use crate::domain::{Environment, Epoch, JournalEntry, Milliseconds, Noun};
use crate::store::StoreError;
use crate::store::schema::journal;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = journal, treat_none_as_default_value = false)]
pub(in crate::store) struct JournalRow {
    epoch: i64,
    at: i64,
    actor: String,
    action: String,
    noun: String,
    subject: String,
    partner_id: Option<String>,
    environment: Option<String>,
    detail: String,
    request_id: Option<String>,
    previous_hash: String,
    hash: String,
}

impl From<JournalEntry> for JournalRow {
    fn from(entry: JournalEntry) -> Self {
        Self {
            epoch: entry.epoch.get(),
            at: entry.at.0,
            actor: entry.actor,
            action: entry.action.as_str().to_owned(),
            noun: entry.noun.as_str().to_owned(),
            subject: entry.subject,
            partner_id: entry.partner_id.map(String::from),
            environment: entry.environment.map(|environment| environment.as_str().to_owned()),
            detail: entry.detail,
            request_id: entry.request_id.map(String::from),
            previous_hash: entry.previous_hash.to_string(),
            hash: entry.hash.to_string(),
        }
    }
}

impl TryFrom<JournalRow> for JournalEntry {
    type Error = StoreError;

    fn try_from(row: JournalRow) -> Result<Self, StoreError> {
        let epoch = row.epoch;
        row.read().map_err(|error| match error {
            // Whoever tampers with a row must not hide which one it is.
            StoreError::Corrupt(what) => StoreError::Corrupt(format!("{what}, at epoch {epoch}")),
            unavailable @ StoreError::Unavailable(_) => unavailable,
        })
    }
}

impl JournalRow {
    fn read(self) -> Result<JournalEntry, StoreError> {
        const COLUMNS: Columns = Columns("journal");
        let row = self;
        Ok(JournalEntry {
            epoch: Epoch::new(row.epoch),
            at: Milliseconds(row.at),
            actor: row.actor,
            action: COLUMNS.text("action", &row.action)?,
            noun: COLUMNS.word("noun", &row.noun, (&Noun::ALL, Noun::as_str))?,
            subject: row.subject,
            partner_id: COLUMNS.optional_text("partner_id", row.partner_id.as_deref())?,
            environment: COLUMNS.optional_text::<Environment>("environment", row.environment.as_deref())?,
            detail: row.detail,
            request_id: COLUMNS.optional_text("request_id", row.request_id.as_deref())?,
            previous_hash: COLUMNS.text("previous_hash", &row.previous_hash)?,
            hash: COLUMNS.text("hash", &row.hash)?,
        })
    }
}
