//! One connection type for both engines, and how one is opened: the URL's scheme alone chooses, and an engine that cannot be
//! reached is an error, never a fresh file of the other.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::r2d2::{Error, ManageConnection, R2D2Connection};
use diesel::sql_types::{Bool, Text};

use super::url::{DatabaseUrl, Place, with_network_limits};

/// A connection to either engine. `establish`, which the derive writes, tries one engine after the other: it is never called.
#[derive(diesel::MultiConnection)]
pub(super) enum DbConn {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// What a connection is for. Only SQLite tells the two apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reads only.
    Reading,
    /// Reads and writes; what it commits survives a power cut.
    Writing,
}

/// What is said of a PostgreSQL that follows another.
const STANDBY: &str = "this PostgreSQL is a standby in recovery; the database URL must lead to the primary";

/// Opens connections, for a pool or alone.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    pub(super) url: DatabaseUrl,
    pub(super) purpose: Purpose,
    /// How long a connection may wait for another's lock, for an answer, for the network.
    pub(super) timeout: Duration,
}

impl ManageConnection for Connector {
    type Connection = DbConn;
    type Error = Error;

    fn connect(&self) -> Result<DbConn, Error> {
        match self.url.place() {
            Place::Sqlite(path) => self.open_sqlite(path).map(DbConn::Sqlite),
            Place::Postgres(url) => self.open_postgres(url).map(DbConn::Postgres),
        }
    }

    fn is_valid(&self, connection: &mut DbConn) -> Result<(), Error> {
        connection.ping().map_err(Error::QueryError)
    }

    fn has_broken(&self, connection: &mut DbConn) -> bool {
        std::thread::panicking() || connection.is_broken()
    }
}

impl Connector {
    fn open_sqlite(&self, path: &Path) -> Result<SqliteConnection, Error> {
        let unreadable = || ConnectionError::BadConnection("the path of the SQLite file is not UTF-8".to_owned());
        let mut connection = SqliteConnection::establish(path.to_str().ok_or_else(unreadable)?)?;
        let purpose = match self.purpose {
            Purpose::Reading => "PRAGMA query_only = ON;",
            Purpose::Writing => "PRAGMA synchronous = FULL;",
        };
        // Waiting comes first: each of the others may already meet a lock.
        connection.batch_execute(&format!("PRAGMA busy_timeout = {};", self.timeout.as_millis()))?;
        connection.batch_execute("PRAGMA foreign_keys = ON;")?;
        connection.batch_execute(purpose)?;
        Ok(connection)
    }

    fn open_postgres(&self, url: &str) -> Result<PgConnection, Error> {
        let mut connection = PgConnection::establish(&with_network_limits(url, self.timeout))?;
        let milliseconds = self.timeout.as_millis();
        // Read committed, so that a commit that waited for the epoch sees what the one before it wrote. It comes before the first
        // question, which a standby would not answer otherwise.
        connection.batch_execute(&format!(
            "SET default_transaction_isolation = 'read committed';
             SET statement_timeout = {milliseconds}; SET lock_timeout = {milliseconds};
             SET idle_in_transaction_session_timeout = {milliseconds};"
        ))?;
        // A standby answers with what was true some time ago and takes no changes: neither promise could be kept on one.
        if diesel::select(sql::<Bool>("pg_is_in_recovery()")).get_result(&mut connection)? {
            return Err(ConnectionError::BadConnection(STANDBY.to_owned()).into());
        }
        // A commit that is acknowledged is on disk, even where the server is set to answer earlier.
        connection.batch_execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
        )?;
        Ok(connection)
    }
}

/// Puts the file into write-ahead mode, which it keeps: readers then never wait for the writer.
pub(super) fn begin_write_ahead_log(connection: &mut SqliteConnection) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Mode {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let mode: Mode = diesel::sql_query("PRAGMA journal_mode = WAL").get_result(connection)?;
    Ok(mode.journal_mode.eq_ignore_ascii_case("wal"))
}

#[cfg(test)]
mod tests {
    use diesel::sql_types::BigInt;

    use super::*;

    #[test]
    fn each_connection_to_sqlite_is_set_for_its_purpose() {
        let folder = tempfile::tempdir().unwrap();
        let connect = |purpose| Connector {
            url: DatabaseUrl::sqlite(&folder.path().join("a.db")),
            purpose,
            timeout: Duration::from_millis(1234),
        };
        // https://www.sqlite.org/pragma.html: FULL is 2.
        let both = [("busy_timeout", 1234), ("foreign_keys", 1)];
        for (purpose, own) in [
            (Purpose::Writing, ("synchronous", 2)),
            (Purpose::Reading, ("query_only", 1)),
        ] {
            let mut connection = connect(purpose).connect().unwrap();
            for (pragma, expected) in both.into_iter().chain([own]) {
                let value = diesel::select(sql::<BigInt>(&format!("* FROM pragma_{pragma}")));
                assert_eq!(value.get_result::<i64>(&mut connection), Ok(expected), "{pragma}");
            }
        }
    }

    #[test]
    fn a_postgresql_that_is_not_there_is_an_error_without_the_password_and_leaves_no_file() {
        let connector = Connector {
            url: "postgresql://mint:hunter2@127.0.0.1:1/mint".parse().unwrap(),
            purpose: Purpose::Writing,
            timeout: Duration::from_secs(2),
        };
        let Err(error) = connector.connect() else {
            panic!("nothing listens on port 1");
        };
        assert!(error.to_string().contains("port 1 failed"), "{error}");
        assert!(
            !format!("{error} {error:?} {connector:?}").contains("hunter2"),
            "{error}"
        );
        assert!(!Path::new("postgresql:").exists());
    }
}
