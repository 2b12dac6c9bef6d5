//! Many commits in one transaction. What an installation has many of goes in by many rows a statement: a store of a million clients
//! is filled in a minute, on PostgreSQL too.

use diesel::connection::Connection;
use diesel::prelude::*;

use super::failure::{Abort, of_write};
use super::{apply, hash_of, take_epochs};
use crate::domain::{Attribution, Mutation, Noun};
use crate::store::CommitError;
use crate::store::connection::DbConn;
use crate::store::rows::{ClientRow, JournalRow, RevokedTokenRow, SecretRow};
use crate::store::schema::{client_secrets, clients, journal, revoked_tokens};

/// Rows of one statement. Times the columns of any table here it stays below SQLite's 32,766 parameters.
const TOGETHER: usize = 1000;

/// Inserts rows of one table. A statement of many rows differs between the engines, so each has its own.
macro_rules! insert_all {
    ($connection:ident, $table:ident, $rows:expr) => {
        $rows.chunks(TOGETHER).try_for_each(|rows| {
            let statement = diesel::insert_into($table::table).values(rows);
            match $connection {
                DbConn::Postgres(connection) => statement.execute(connection).map(drop),
                DbConn::Sqlite(connection) => statement.execute(connection).map(drop),
            }
        })
    };
}

/// Each of `mutations` as a commit of its own, all in one transaction.
pub(in crate::store) fn commit_each(
    connection: &mut DbConn,
    attribution: &Attribution,
    mutations: impl IntoIterator<Item = Mutation>,
) -> Result<(), CommitError> {
    let mutations: Vec<_> = mutations.into_iter().collect();
    match connection.transaction(|connection| write(connection, attribution, mutations)) {
        Ok(()) | Err(Abort::Nothing) => Ok(()),
        Err(Abort::Failed(error)) => Err(error),
    }
}

fn write(connection: &mut DbConn, attribution: &Attribution, mutations: Vec<Mutation>) -> Result<(), Abort> {
    let mut before = take_epochs(connection, mutations.len())?;
    let mut hash = hash_of(connection, before)?;
    let mut waiting = Waiting::default();
    let mut entries = Vec::with_capacity(mutations.len());
    for mut mutation in mutations {
        let next = before.next();
        mutation.stamp(next);
        let entry = mutation.entry(next, attribution, hash);
        (before, hash) = (next, entry.hash);
        entries.push(JournalRow::from(entry));
        if let Some(other) = waiting.keep(mutation) {
            waiting.write(connection)?;
            apply::apply(connection, other)?;
        }
    }
    waiting.write(connection)?;
    insert_all!(connection, journal, entries)?;
    Ok(())
}

/// Rows that are not written yet. They are, in the order of these fields, before any change of another kind.
#[derive(Default)]
struct Waiting {
    clients: Vec<ClientRow>,
    secrets: Vec<SecretRow>,
    revoked_tokens: Vec<RevokedTokenRow>,
}

impl Waiting {
    /// Keeps the rows of `mutation`, or gives it back where it is not of a kind that comes in great numbers.
    fn keep(&mut self, mutation: Mutation) -> Option<Mutation> {
        match mutation {
            Mutation::ClientRegistered(client, secret) => {
                self.clients.push(client.into());
                self.secrets.push(secret.into());
                None
            }
            Mutation::TokenRevoked(token) => {
                self.revoked_tokens.push(token.into());
                None
            }
            other => Some(other),
        }
    }

    fn write(&mut self, connection: &mut DbConn) -> Result<(), Abort> {
        let Self {
            clients,
            secrets,
            revoked_tokens: tokens,
        } = std::mem::take(self);
        insert_all!(connection, clients, clients).map_err(|error| of_write(Noun::Client, error))?;
        insert_all!(connection, client_secrets, secrets).map_err(|error| of_write(Noun::Secret, error))?;
        insert_all!(connection, revoked_tokens, tokens).map_err(|error| of_write(Noun::Token, error))
    }
}
