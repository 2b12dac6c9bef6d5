//! The store in SQL: one set of queries for SQLite and PostgreSQL.

mod apply;
mod bulk;
mod failure;
mod follower;
mod meters;
mod notices;
mod records;
mod search;
mod sessions;
mod surveys;
mod usage;

use std::fs::File;
use std::time::Duration;

use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::r2d2::{ManageConnection as _, Pool, PooledConnection};

pub(super) use self::bulk::commit_each;
use self::failure::Abort;
use self::follower::JournalFollower;
use self::records::{SqlRecords, head};
use super::connection::{Connector, DbConn, Purpose};
use super::rows::{IdempotencyRow, JournalRow};
use super::schema::{epoch, idempotency_keys, installation, journal, revoked_tokens};
use super::url::{DatabaseUrl, Place};
use super::{
    CommitError, Decide, Draw, Drawn, Follower, NoticeBoard, Read, Return, SessionBook, Sharing, Store, StoreError,
};
use crate::domain::{
    Attribution, CLOCK_SKEW, ChainHash, Change, Epoch, IdempotencyRecord, JournalEntry, Meter, Seconds, Timestamp,
    UsageBatch,
};

/// A store in SQLite or PostgreSQL.
pub(super) struct SqlStore {
    reading: Pool<Connector>,
    writing: Pool<Connector>,
    connector: Connector,
    sharing: Sharing,
    /// Held as long as the store is open: the lock on the SQLite file.
    _lock: Option<File>,
}

impl SqlStore {
    /// With `size` connections; on SQLite one more, which alone writes. None is opened yet.
    pub(super) fn new(url: &DatabaseUrl, (size, timeout): (u32, Duration), lock: Option<File>) -> Self {
        let connector = |purpose| Connector {
            url: url.clone(),
            purpose,
            timeout,
        };
        let writing = |size| pool(connector(Purpose::Writing), size);
        let (reading, writing, sharing) = match url.place() {
            Place::Sqlite(_) => (pool(connector(Purpose::Reading), size), writing(1), Sharing::Sole),
            Place::Postgres(_) => {
                let both = writing(size);
                (both.clone(), both, Sharing::Shared)
            }
        };
        Self {
            reading,
            writing,
            connector: connector(Purpose::Reading),
            sharing,
            _lock: lock,
        }
    }
}

fn pool(connector: Connector, size: u32) -> Pool<Connector> {
    let timeout = connector.timeout;
    Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(timeout)
        .build_unchecked(connector)
}

fn connection(pool: &Pool<Connector>) -> Result<PooledConnection<Connector>, StoreError> {
    pool.get().map_err(|error| StoreError::Unavailable(error.to_string()))
}

impl Store for SqlStore {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        let mut connection = connection(&self.reading)?;
        read(&mut SqlRecords::new(&mut connection))
    }

    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        match connection.transaction(|connection| change(connection, attribution, decide)) {
            Ok(entry) => Ok(Some(entry)),
            Err(Abort::Nothing) => Ok(None),
            Err(Abort::Failed(error)) => Err(error),
        }
    }

    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        let connection = self
            .connector
            .connect()
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Box::new(JournalFollower::new(connection)))
    }

    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        usage::record(&mut *connection(&self.writing)?, batch)
    }

    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        usage::forget(&mut *connection(&self.writing)?, before)
    }

    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        let Seconds(remembered) = IdempotencyRecord::REMEMBERED_FOR;
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let over = revoked_tokens::expires_at.le((now - CLOCK_SKEW).seconds());
        let tokens = diesel::delete(revoked_tokens::table.filter(over))
            .execute(connection)
            .map_err(|error| failure::of_query("revoked_tokens", &error))?;
        let past = idempotency_keys::created_at.le(now.seconds() - i64::from(remembered));
        let keys = diesel::delete(idempotency_keys::table.filter(past))
            .execute(connection)
            .map_err(|error| failure::of_query("idempotency_keys", &error))?;
        let meters = meters::forget(connection, now)?;
        Ok((tokens + keys + meters) as u64)
    }

    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        meters::draw(&mut *connection(&self.writing)?, meter, draw)
    }

    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        meters::give_back(&mut *connection(&self.writing)?, returns)
    }

    fn board(&self) -> &dyn NoticeBoard {
        self
    }

    fn sessions(&self) -> &dyn SessionBook {
        self
    }

    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        diesel::update(installation::table.filter(installation::master_key_check.is_null()))
            .set(installation::master_key_check.eq(check))
            .execute(connection)
            .map(drop)
            .map_err(|error| failure::of_query("installation", &error))
    }
}

/// One commit, inside its transaction.
fn change(connection: &mut DbConn, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<JournalEntry, Abort> {
    let before = take_epochs(connection, 1)?;
    let next = before.next();
    let Change {
        mut mutation,
        idempotency,
    } = decide(&mut SqlRecords::within_commit(connection, before))?.ok_or(Abort::Nothing)?;
    mutation.stamp(next);
    let entry = mutation.entry(next, attribution, hash_of(connection, before)?);
    apply::apply(connection, mutation)?;
    if let Some(record) = idempotency {
        remember(connection, record)?;
    }
    diesel::insert_into(journal::table)
        .values(JournalRow::from(entry.clone()))
        .execute(connection)?;
    Ok(entry)
}

/// Takes the write lock of the whole store, before anything is read, and the next `count` epochs. Returns the one before them.
fn take_epochs(connection: &mut DbConn, count: usize) -> Result<Epoch, Abort> {
    let count = i64::try_from(count).expect("a list in memory is shorter than an epoch can count");
    let rows = diesel::update(epoch::table)
        .set(epoch::number.eq(epoch::number + count))
        .execute(connection)?;
    if rows != 1 {
        return Err(StoreError::Corrupt("the table epoch has not exactly one row".to_owned()).into());
    }
    Ok(Epoch::new(head(connection)?.get() - count))
}

/// The hash of the journal's last row.
fn hash_of(connection: &mut DbConn, last: Epoch) -> Result<ChainHash, Abort> {
    if last == Epoch::ZERO {
        return Ok(ChainHash::GENESIS);
    }
    let hash: Option<String> = journal::table
        .find(last.get())
        .select(journal::hash)
        .first(connection)
        .optional()?;
    hash.and_then(|hash| hash.parse().ok())
        .ok_or_else(|| no_hash_at(last).into())
}

fn no_hash_at(head: Epoch) -> StoreError {
    StoreError::Corrupt(format!("the journal has no readable hash at its head, epoch {head}"))
}

fn remember(connection: &mut DbConn, record: IdempotencyRecord) -> Result<(), Abort> {
    let row = IdempotencyRow::from(record);
    // A key past its time may still lie there, unswept.
    diesel::delete(idempotency_keys::table.find((&row.operator_id, &row.key))).execute(connection)?;
    diesel::insert_into(idempotency_keys::table)
        .values(row)
        .execute(connection)?;
    Ok(())
}
