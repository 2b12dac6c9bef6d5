//! Many changes in one transaction, for filling a store before anybody is served from it.
//!
//! What is left is what as many single commits would have left: for each change an epoch and a journal row, in one chain.

use std::time::Duration;

use thiserror::Error;

use super::CommitError;
use super::opening::{Database, OpenError};
use super::sql;
use super::url::DatabaseUrl;
use crate::domain::{Attribution, Mutation};

/// Why the changes were not made. None of them was then.
#[derive(Debug, Error)]
pub enum BulkError {
    /// The store does not open; on SQLite, perhaps because a server owns it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// One of the changes was refused, or the store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// Makes all the changes, in their order, or none of them. No decision stands before any: whoever calls this says what is true.
/// Replicas that serve from the same PostgreSQL learn of it as they do of any commit.
///
/// # Errors
/// When the store does not open or fails, or one of the changes does not fit.
pub fn commit_in_bulk(
    url: &DatabaseUrl,
    timeout: Duration,
    attribution: &Attribution,
    mutations: impl IntoIterator<Item = Mutation>,
) -> Result<(), BulkError> {
    let mut database = Database::open(url, timeout)?;
    Ok(sql::commit_each(&mut database.connection, attribution, mutations)?)
}
