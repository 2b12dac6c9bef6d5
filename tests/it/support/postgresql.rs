//! A PostgreSQL for the tests: the one that `MINTMARK_TEST_POSTGRES_URL` names, or a cluster of our own, begun once for each
//! run in a temporary folder and gone with it. Where neither can be had, the test fails: it never passes by not running.
//!
//! Each test works in a schema of its own.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use mintmark::ambient::{Entropy as _, SystemEntropy};

/// An empty schema, removed when dropped.
pub struct TestDatabase {
    /// Leads into the schema.
    pub url: String,
    schema: String,
}

/// A cluster of our own: lives until its standard input is closed, at the latest when this process ends.
pub struct Cluster {
    _keeper: Child,
    /// Its folder: the data in `data`, the socket beside.
    pub folder: PathBuf,
}

/// A cluster whose processes stand still.
pub struct Frozen<'a>(&'a Cluster);

impl Drop for Frozen<'_> {
    fn drop(&mut self) {
        self.0.control(
            r#"read -r main <"$2/data/postmaster.pid"; kill -CONT "$main" $(cat "/proc/$main/task/$main/children")"#,
        );
    }
}

/// An empty schema.
pub fn fresh_url() -> TestDatabase {
    let mut random = [0; 8];
    SystemEntropy::new().fill(&mut random);
    let schema = format!("test_{:016x}", u64::from_be_bytes(random));
    administer(&format!("CREATE SCHEMA {schema}"));
    let base = base_url();
    let joint = if base.contains('?') { '&' } else { '?' };
    TestDatabase {
        url: format!("{base}{joint}options=-csearch_path%3D{schema}"),
        schema,
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        administer(&format!("DROP SCHEMA {} CASCADE", self.schema));
    }
}

/// A database of its own, for what works on a whole one. Removed when dropped.
pub struct OwnDatabase {
    /// Leads into it.
    pub url: String,
    name: String,
}

/// An empty database.
pub fn own_database() -> OwnDatabase {
    let mut random = [0; 8];
    SystemEntropy::new().fill(&mut random);
    let name = format!("own_{:016x}", u64::from_be_bytes(random));
    alone(&format!("CREATE DATABASE {name}"));
    let (server, _) = base_url().rsplit_once('/').expect("the URL names a database");
    OwnDatabase {
        url: format!("{server}/{name}"),
        name,
    }
}

impl Drop for OwnDatabase {
    fn drop(&mut self) {
        alone(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// Executes what may stand in no transaction, and so beside nothing else.
fn alone(statement: &str) {
    let mut connection = PgConnection::establish(base_url()).expect("the PostgreSQL of the tests answers");
    connection
        .batch_execute(statement)
        .expect("a database can be made and dropped");
}

fn administer(statement: &str) {
    let mut connection = PgConnection::establish(base_url()).expect("the PostgreSQL of the tests answers");
    connection
        .batch_execute(&format!("SET client_min_messages = warning; {statement}"))
        .expect("a schema can be made and dropped");
}

fn base_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    URL.get_or_init(|| match std::env::var_os("MINTMARK_TEST_POSTGRES_URL") {
        Some(url) => url.into_string().expect("MINTMARK_TEST_POSTGRES_URL is text"),
        None => CLUSTER.get_or_init(Cluster::begin).url(),
    })
}

impl Cluster {
    /// Begins a cluster. Its locale passes over hyphens when it sorts, it isolates in its own way, and it acknowledges early unless
    /// told not to: a store that relies on a friendlier server is found out.
    pub fn begin() -> Self {
        Self::run(
            r#""$1/initdb" --pgdata "$folder/data" --username postgres --auth trust --encoding UTF8 --no-sync \
                --locale C.UTF-8 --locale-provider icu --icu-locale en-u-ka-shifted >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
            cat >>"$folder/data/postgresql.conf" <<END
fsync = off
synchronous_commit = off
default_transaction_isolation = serializable
max_connections = 300
wal_level = replica
END"#,
            Path::new(""),
        )
    }

    /// Begins a standby of this cluster, which follows it and takes no writes.
    pub fn standby(&self) -> Self {
        Self::run(
            r#""$1/pg_basebackup" --pgdata "$folder/data" --host "$2" --username postgres --write-recovery-conf \
                --checkpoint fast --no-sync"#,
            &self.folder,
        )
    }

    /// Where it listens: on its socket only.
    pub fn url(&self) -> String {
        let folder = self.folder.to_str().expect("temporary folders have plain names");
        format!("postgresql://postgres@{}/postgres", folder.replace('/', "%2F"))
    }

    /// Ends it as a power cut would, until it is begun again.
    pub fn halt(&self) {
        self.control(r#""$1/pg_ctl" --pgdata "$2/data" --mode immediate stop"#);
    }

    /// Begins it again after [`Cluster::halt`].
    pub fn begin_again(&self) {
        self.control(
            r#""$1/pg_ctl" --pgdata "$2/data" --log "$2/log" --wait start --options "-c listen_addresses='' -k $2""#,
        );
    }

    /// Keeps a copy of it as it is, while it is halted.
    pub fn keep_copy(&self) {
        self.control(r#"cp -a "$2/data" "$2/copy""#);
    }

    /// Puts the copy in its place and keeps what was there as the copy, while it is halted.
    pub fn exchange_copy(&self) {
        self.control(r#"mv "$2/data" "$2/between"; mv "$2/copy" "$2/data"; mv "$2/between" "$2/copy""#);
    }

    /// Stops all its processes where they are: connections stay open and nothing answers, until the guard is dropped.
    pub fn freeze(&self) -> Frozen<'_> {
        self.control(r#"read -r main <"$2/data/postmaster.pid"; kill -STOP "$main"; kill -STOP $(cat "/proc/$main/task/$main/children")"#);
        Frozen(self)
    }

    fn control(&self, script: &str) {
        let mut command = as_ordinary_user();
        command
            .args(["sh", "-euc", script, "sh"])
            .arg(programs())
            .arg(&self.folder);
        // What it starts stays, so it may hold on to nothing of ours.
        let status = command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(status.expect("a shell starts").success(), "{script}");
    }

    fn run(prepare: &str, primary: &Path) -> Self {
        let script = format!(
            r#"set -eu
            folder=$(mktemp -d /tmp/mintmark-postgresql-XXXXXX)
            trap '"$1/pg_ctl" --pgdata "$folder/data" --mode immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
            cd "$folder"
            {prepare}
            "$1/pg_ctl" --pgdata "$folder/data" --log "$folder/log" --wait start \
                --options "-c listen_addresses='' -k $folder" >/dev/null
            echo "$folder"
            cat >/dev/null"#
        );
        let mut keeper = as_ordinary_user()
            .args(["sh", "-c", &script, "sh"])
            .arg(programs())
            .arg(primary)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let mut folder = String::new();
        let output = keeper.stdout.take().expect("its output is piped");
        BufReader::new(output)
            .read_line(&mut folder)
            .expect("its output is text");
        assert!(!folder.is_empty(), "no PostgreSQL came up; its own words are above");
        Self {
            _keeper: keeper,
            folder: PathBuf::from(folder.trim_end()),
        }
    }
}

/// PostgreSQL refuses to run as root; Debian's package brings the user `postgres`.
fn as_ordinary_user() -> Command {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    let mut command = Command::new(if root { "runuser" } else { "env" });
    if root {
        command.args(["-u", "postgres", "--", "env"]);
    }
    command
}

/// The folder of PostgreSQL's own programs: on the path, or where Debian puts it.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    std::env::split_paths(&path)
        .chain(debian.into_iter().rev())
        .find(|folder| {
            ["initdb", "pg_ctl", "pg_basebackup"]
                .iter()
                .all(|name| folder.join(name).is_file())
        })
        .expect("PostgreSQL is needed: install it, or set MINTMARK_TEST_POSTGRES_URL")
}
