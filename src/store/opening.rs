//! Opening a store: the file and its lock, the first connection, the migrations. Whatever stands in the way is one sentence.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel::r2d2::ManageConnection as _;
use thiserror::Error;

use super::Store;
use super::connection::{Connector, DbConn, Purpose, begin_write_ahead_log};
use super::migrations::{self, Migrate, MigrationError};
use super::sql::SqlStore;
use super::url::{DatabaseUrl, Place};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// How many connections at the most; for SQLite, how many that read.
    pub pool_size: u32,
    /// How long anything may take: a free connection, a lock, an answer.
    pub timeout: Duration,
    /// What to do when the tables are not of the form this server knows.
    pub migrate: Migrate,
}

/// Why a store was not opened. No text holds the password of the URL.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file, its folder or its lock cannot be made or read.
    #[error("{path} cannot be opened: {reason}")]
    File {
        /// What.
        path: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// Another process owns the file.
    #[error("{0} is in use by another mintmark process: a SQLite file serves one server at a time")]
    InUse(PathBuf),
    /// The file lies where SQLite cannot share memory between its connections, as on a network file system.
    #[error("{0} lies on a file system that cannot keep SQLite's write-ahead log: put it on a local one")]
    NoWriteAheadLog(PathBuf),
    /// The database did not answer, or refused.
    #[error("{url} cannot be opened: {reason}")]
    Unreachable {
        /// Which.
        url: DatabaseUrl,
        /// Why, in the engine's words.
        reason: String,
    },
    /// The tables are not of the form this server knows.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

/// Opens the store at `settings.url`; on first start it makes the SQLite file and its folder, readable by their owner alone.
///
/// # Errors
/// When it cannot be reached, is in use by another process, is a standby, or is not migrated.
pub fn open(settings: &StoreSettings) -> Result<Arc<dyn Store>, OpenError> {
    let mut database = Database::open(&settings.url, settings.timeout)?;
    match settings.migrate {
        Migrate::Auto => drop(migrations::run(&mut database.connection)?),
        Migrate::Require => match migrations::pending(&mut database.connection)?.len() {
            0 => {}
            pending => return Err(MigrationError::Pending(pending).into()),
        },
    }
    let limits = (settings.pool_size, settings.timeout);
    Ok(Arc::new(SqlStore::new(&database.url, limits, database.lock)))
}

/// The stamps of the migrations that `url` still needs, the oldest first.
///
/// # Errors
/// As [`open`], and when a newer server migrated it.
pub fn pending_migrations(url: &DatabaseUrl, timeout: Duration) -> Result<Vec<String>, OpenError> {
    Ok(migrations::pending(&mut Database::open(url, timeout)?.connection)?)
}

/// Runs the migrations that `url` still needs, and says which those were.
///
/// # Errors
/// As [`open`], and when a script fails.
pub fn migrate(url: &DatabaseUrl, timeout: Duration) -> Result<Vec<String>, OpenError> {
    Ok(migrations::run(&mut Database::open(url, timeout)?.connection)?)
}

/// Takes `url` back to an empty database, with everything in it, and says which migrations it took back.
///
/// # Errors
/// As [`open`], and when a script fails.
pub fn revert_all_migrations(url: &DatabaseUrl, timeout: Duration) -> Result<Vec<String>, OpenError> {
    Ok(migrations::revert_all(&mut Database::open(url, timeout)?.connection)?)
}

/// A database that answers and is ours to write to.
pub(super) struct Database {
    /// With the file's one true path.
    url: DatabaseUrl,
    pub(super) connection: DbConn,
    lock: Option<File>,
}

impl Database {
    pub(super) fn open(url: &DatabaseUrl, timeout: Duration) -> Result<Self, OpenError> {
        let (url, lock) = match url.place() {
            Place::Postgres(_) => (url.clone(), None),
            Place::Sqlite(path) => {
                let path = own_file(path).map_err(|reason| file_error(path, reason))?;
                let lock = lock(&path)?;
                (DatabaseUrl::sqlite(&path), Some(lock))
            }
        };
        let connector = Connector {
            url: url.clone(),
            purpose: Purpose::Writing,
            timeout,
        };
        let unreachable = |reason: String| OpenError::Unreachable {
            url: url.clone(),
            reason,
        };
        let mut connection = connector.connect().map_err(|error| unreachable(error.to_string()))?;
        if let (DbConn::Sqlite(sqlite), Place::Sqlite(path)) = (&mut connection, url.place()) {
            let begun = begin_write_ahead_log(sqlite).map_err(|error| unreachable(error.to_string()))?;
            if !begun {
                return Err(OpenError::NoWriteAheadLog(path.clone()));
            }
        }
        Ok(Self { url, connection, lock })
    }
}

fn file_error(path: &Path, reason: std::io::Error) -> OpenError {
    OpenError::File {
        path: path.to_owned(),
        reason,
    }
}

/// Makes the file if it is not there, and gives its path without symbolic links, so that two names of one file share one lock.
fn own_file(path: &Path) -> std::io::Result<PathBuf> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    owner_only().open(path)?;
    fs::canonicalize(path)
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

/// Locks `<file>.lock` for as long as the handle lives. The operating system lets go of it even after a crash.
fn lock(path: &Path) -> Result<File, OpenError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let file = owner_only()
        .open(&beside)
        .map_err(|reason| file_error(&beside, reason))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(reason)) => Err(file_error(&beside, reason)),
    }
}
