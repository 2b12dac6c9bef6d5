//! The tables, brought to the form this server knows. The scripts are embedded, in twins: one for each engine, same stamps,
//! same names.
//!
//! Whoever finds nothing to do takes no lock. Whoever finds something looks again under the lock: two servers that start at
//! once do it once.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use thiserror::Error;

use super::connection::DbConn;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");

/// What every server that migrates the same PostgreSQL database locks: "mintmark" in ASCII.
const ADVISORY_LOCK: i64 = i64::from_be_bytes(*b"mintmark");

diesel::table! {
    /// Which migrations were run; diesel's own table.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

/// What to do at start when the tables are not of the form this server knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Migrate {
    /// Migrate.
    #[default]
    Auto,
    /// Refuse to start: somebody else migrates.
    Require,
}

/// Why the tables are not of the form this server knows.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// There are migrations to run, and `Require` forbids it.
    #[error("the database needs {0} migrations before this server can use it: run `mintmark migrate`")]
    Pending(usize),
    /// A newer server was here.
    #[error("the database was migrated by a newer version of this server (it knows {0}): run that version")]
    Unknown(String),
    /// A script failed, or the database did not answer.
    #[error("migrating the database failed: {0}")]
    Failed(String),
}

impl From<diesel::result::Error> for MigrationError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for MigrationError {
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The stamps of the migrations that are to be run, the oldest first. Changes nothing and waits for nobody.
pub(super) fn pending(connection: &mut DbConn) -> Result<Vec<String>, MigrationError> {
    let applied = applied(connection)?;
    let known = known(connection)?;
    if let Some(unknown) = applied.difference(&known).next() {
        return Err(MigrationError::Unknown(unknown.clone()));
    }
    Ok(known.difference(&applied).cloned().collect())
}

/// Runs what is pending, under the lock, and says what it ran.
pub(super) fn run(connection: &mut DbConn) -> Result<Vec<String>, MigrationError> {
    if pending(connection)?.is_empty() {
        return Ok(Vec::new());
    }
    match connection {
        DbConn::Sqlite(sqlite) => sqlite.immediate_transaction(|sqlite| forward(sqlite, SQLITE)),
        DbConn::Postgres(postgres) => alone(postgres, |postgres| forward(postgres, POSTGRESQL)),
    }
}

/// Takes everything back to an empty database, and says what it took back, the newest first.
pub(super) fn revert_all(connection: &mut DbConn) -> Result<Vec<String>, MigrationError> {
    match connection {
        DbConn::Sqlite(sqlite) => sqlite.immediate_transaction(|sqlite| backward(sqlite, SQLITE)),
        DbConn::Postgres(postgres) => alone(postgres, |postgres| backward(postgres, POSTGRESQL)),
    }
}

fn known(connection: &DbConn) -> Result<BTreeSet<String>, MigrationError> {
    fn stamps<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Result<BTreeSet<String>, MigrationError> {
        let migrations = MigrationSource::<DB>::migrations(source)?;
        Ok(migrations
            .iter()
            .map(|migration| migration.name().version().to_string())
            .collect())
    }
    match connection {
        DbConn::Sqlite(_) => stamps::<diesel::sqlite::Sqlite>(&SQLITE),
        DbConn::Postgres(_) => stamps::<diesel::pg::Pg>(&POSTGRESQL),
    }
}

fn applied(connection: &mut DbConn) -> Result<BTreeSet<String>, MigrationError> {
    let there = match connection {
        DbConn::Sqlite(_) => "EXISTS (SELECT 1 FROM sqlite_master WHERE name = '__diesel_schema_migrations')",
        DbConn::Postgres(_) => "to_regclass('__diesel_schema_migrations') IS NOT NULL",
    };
    if !diesel::select(sql::<Bool>(there)).get_result::<bool>(connection)? {
        return Ok(BTreeSet::new());
    }
    let versions: Vec<String> = __diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(connection)?;
    Ok(versions.into_iter().collect())
}

/// Runs `work` while no other server migrates this database. Waits a minute for one that does.
fn alone<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, MigrationError>,
) -> Result<T, MigrationError> {
    // An index on a large table may take longer than any query of a running server should.
    connection.batch_execute(&format!(
        "SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0;
         SELECT pg_advisory_lock({ADVISORY_LOCK});"
    ))?;
    let outcome = work(connection);
    connection.batch_execute(&format!("SELECT pg_advisory_unlock({ADVISORY_LOCK})"))?;
    outcome
}

fn forward<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<Vec<String>, MigrationError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    let ran = connection.run_pending_migrations(source)?;
    Ok(ran.iter().map(ToString::to_string).collect())
}

fn backward<C, DB>(connection: &mut C, source: EmbeddedMigrations) -> Result<Vec<String>, MigrationError>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
{
    let reverted = connection.revert_all_migrations(source)?;
    Ok(reverted.iter().map(ToString::to_string).collect())
}
