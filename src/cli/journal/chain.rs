//! The chain of hashes, walked from the first row to the head as it stood when the walk began.

use serde_json::Value;

use super::super::Invocation;
use super::super::admin_api::LARGEST_PAGE;
use super::super::conversation::Conversation;
use super::super::failure::{Exit, Failure};
use super::row::{Head, Row, StatedHead};
use crate::domain::{BrokenChain, Epoch, JournalEntry};
use crate::store::{self, JournalFilter, Migrate, Page, Store, StoreError, StoreSettings};

/// Rows read from the store at a time.
const ROWS: u16 = 500;

/// Whether the journal is as it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is, up to this row.
    Holds(Head),
    /// It is not; the sentence names the first row that shows it.
    Broken(String),
}

/// A walk along the rows, which must come in order.
#[derive(Default)]
pub(in crate::cli) struct Chain {
    last: Option<JournalEntry>,
}

impl Chain {
    /// Goes on to the next row.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub(in crate::cli) fn follow(&mut self, row: JournalEntry) -> Result<(), BrokenChain> {
        row.follows(self.last.as_ref())?;
        self.last = Some(row);
        Ok(())
    }

    /// The same for a row as the admin API shows it.
    ///
    /// # Errors
    /// With a sentence.
    pub(in crate::cli) fn follow_shown(&mut self, row: &Value) -> Result<(), String> {
        let entry = Row::read(row).map_err(|epoch| {
            let epoch = epoch.unwrap_or(self.head().epoch.next());
            format!("epoch {epoch} is no row that this program could have written")
        })?;
        self.follow(entry).map_err(|broken| broken.to_string())
    }

    /// How far the walk has come.
    pub(in crate::cli) fn head(&self) -> Head {
        self.last.as_ref().map_or(Head::GENESIS, |row| Head {
            epoch: row.epoch,
            hash: row.hash,
        })
    }

    /// Ends the walk, which should have come to `head`.
    ///
    /// # Errors
    /// With a sentence, when the journal ends before it or with another hash.
    pub(in crate::cli) fn end_at(&self, head: &StatedHead) -> Result<Head, String> {
        let found = self.head();
        if found.epoch < head.epoch {
            let truncated = BrokenChain::Truncated {
                found: found.epoch,
                head: head.epoch,
            };
            Err(truncated.to_string())
        } else if found.epoch == head.epoch && head.hash.is_some_and(|hash| hash != found.hash) {
            Err(format!(
                "epoch {} does not have the hash that the head names",
                found.epoch
            ))
        } else {
            Ok(found)
        }
    }
}

/// Walks the journal of a server by its pages.
///
/// # Errors
/// When the server does not answer.
pub(super) fn of_a_server(server: &Conversation<'_, '_>) -> Result<Verdict, Failure> {
    let head = StatedHead::read(&server.api.get("/journal/head")?.body)
        .ok_or_else(|| Failure::failed("the answer is not the head of a journal: is the server of this version?"))?;
    let mut chain = Chain::default();
    for page in server.api.pages("/journal", Vec::new(), None) {
        let rows = match page {
            Ok(rows) => rows,
            Err(failure) if failure.exit == Exit::Failed => return row_by_row(server, chain, (&head, failure)),
            Err(failure) => return Err(failure),
        };
        for row in rows {
            if chain.head().epoch >= head.epoch {
                break;
            }
            if let Err(reason) = chain.follow_shown(&row) {
                return Ok(Verdict::Broken(reason));
            }
        }
        if chain.head().epoch >= head.epoch {
            break;
        }
    }
    Ok(chain.end_at(&head).map_or_else(Verdict::Broken, Verdict::Holds))
}

/// Goes on where a page cannot be shown, up to the row for whose sake it cannot.
///
/// # Errors
/// With the failure of the page, when each of its rows can be shown.
fn row_by_row(
    server: &Conversation<'_, '_>,
    mut chain: Chain,
    (head, failed): (&StatedHead, Failure),
) -> Result<Verdict, Failure> {
    // To show a page the server reads one row more.
    for _ in 0..=LARGEST_PAGE {
        let epoch = chain.head().epoch.next();
        if epoch > head.epoch {
            break;
        }
        let shown = match server.api.get(&format!("/journal/{epoch}")) {
            Ok(answer) => chain.follow_shown(&answer.body),
            Err(failure) => match failure.exit {
                Exit::NotFound => Err(format!("epoch {epoch} is missing")),
                Exit::Failed => Err(format!("epoch {epoch} cannot be read: {}", failure.sentences.join(" "))),
                _ => return Err(failure),
            },
        };
        if let Err(reason) = shown {
            return Ok(Verdict::Broken(reason));
        }
    }
    Err(failed)
}

/// Walks the journal in the store of the settings, and writes nothing.
///
/// # Errors
/// When the store cannot be opened or does not answer.
pub(super) fn of_the_store(invocation: &Invocation<'_>) -> Result<Verdict, Failure> {
    let database = invocation.settings()?.database;
    // The chain needs no key, so that whoever audits it needs none either.
    let store = store::open(&StoreSettings {
        url: database.url,
        pool_size: database.pool_size,
        timeout: database.timeout,
        migrate: Migrate::Require,
    })?;
    match walk(&*store) {
        Ok(verdict) => Ok(verdict),
        Err(StoreError::Corrupt(reason)) => Ok(Verdict::Broken(reason)),
        Err(unavailable @ StoreError::Unavailable(_)) => Err(unavailable.into()),
    }
}

fn walk(store: &dyn Store) -> Result<Verdict, StoreError> {
    let mut chain = Chain::default();
    let mut head = None;
    let mut rows = Vec::new();
    loop {
        let page = Page {
            after: Some(chain.head().epoch),
            limit: ROWS,
        };
        store.read(&mut |records| {
            if head.is_none() {
                head = Some(records.epoch()?);
            }
            rows = records.journal(&JournalFilter::default(), &page)?;
            Ok(())
        })?;
        if rows.is_empty() {
            break;
        }
        for row in rows.drain(..) {
            if let Err(broken) = chain.follow(row) {
                return Ok(Verdict::Broken(broken.to_string()));
            }
        }
    }
    let head = StatedHead {
        epoch: head.unwrap_or(Epoch::ZERO),
        hash: None,
    };
    Ok(chain.end_at(&head).map_or_else(Verdict::Broken, Verdict::Holds))
}
