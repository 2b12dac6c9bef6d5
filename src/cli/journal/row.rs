//! A row of the journal as the admin API shows it, read back into what was hashed.

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{ChainHash, Environment, Epoch, JournalEntry, Milliseconds, Noun, PartnerId, RequestId};

/// The members of a row.
#[derive(Deserialize)]
pub(in crate::cli) struct Row {
    epoch: Epoch,
    at: String,
    actor: String,
    action: String,
    noun: String,
    subject: String,
    partner_id: Option<PartnerId>,
    environment: Option<Environment>,
    detail: String,
    request_id: Option<RequestId>,
    previous_hash: String,
    hash: String,
}

impl Row {
    /// The entry that `value` shows; without its epoch where not even that can be read.
    pub(in crate::cli) fn read(value: &Value) -> Result<JournalEntry, Option<Epoch>> {
        let epoch = value["epoch"].as_i64().map(Epoch::new);
        Self::deserialize(value).ok().and_then(Self::entry).ok_or(epoch)
    }

    fn entry(self) -> Option<JournalEntry> {
        let at = DateTime::parse_from_rfc3339(&self.at).ok()?;
        Some(JournalEntry {
            epoch: self.epoch,
            at: Milliseconds(at.timestamp_millis()),
            actor: self.actor,
            action: self.action.parse().ok()?,
            noun: Noun::ALL.into_iter().find(|noun| noun.as_str() == self.noun)?,
            subject: self.subject,
            partner_id: self.partner_id,
            environment: self.environment,
            detail: self.detail,
            request_id: self.request_id,
            previous_hash: self.previous_hash.parse().ok()?,
            hash: self.hash.parse().ok()?,
        })
    }
}

/// How far a walk has come: how many rows there were, and the hash of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct Head {
    pub(in crate::cli) epoch: Epoch,
    pub(in crate::cli) hash: ChainHash,
}

impl Head {
    pub(in crate::cli) const GENESIS: Self = Self {
        epoch: Epoch::ZERO,
        hash: ChainHash::GENESIS,
    };
}

/// Where the journal should end, as it is kept beside the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) struct StatedHead {
    pub(in crate::cli) epoch: Epoch,
    /// The hash of the row there, where somebody read it.
    pub(in crate::cli) hash: Option<ChainHash>,
}

impl StatedHead {
    /// What the admin API shows.
    pub(in crate::cli) fn read(value: &Value) -> Option<Self> {
        let hash = match &value["hash"] {
            Value::Null => None,
            hash => Some(hash.as_str()?.parse().ok()?),
        };
        Some(Self {
            epoch: Epoch::new(value["epoch"].as_i64()?),
            hash,
        })
    }
}
