//! The built program as an operator runs it: a scratch folder with settings, master key and (on SQLite) the store; verbs run to
//! their end; a server started, watched by its log, signalled, killed. Nothing here sleeps: every wait is for a line of the log
//! or for the end of the process, and fails when it takes too long.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mintmark::ambient::{Entropy as _, SystemEntropy};
use serde_json::Value;
use tempfile::TempDir;

use super::calls::Admin;
use super::log::Log;
use super::postgresql::{TestDatabase, fresh_url};

/// How long anything may take before the test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An installation: what stays while servers come and go.
pub struct Installation {
    folder: TempDir,
    settings: BTreeMap<String, String>,
    url: String,
    /// The command that takes on the program, where it is not started by itself.
    through: Vec<String>,
    /// The schema goes when the installation does.
    _schema: Option<TestDatabase>,
}

/// What a verb printed, and how it ended.
#[derive(Debug)]
pub struct Printed {
    /// The exit code; none when a signal ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// A signal to a server.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    Terminate,
    HangUp,
    /// Stand still (SIGSTOP).
    Stop,
    /// Go on (SIGCONT).
    Continue,
}

impl Installation {
    /// On a SQLite file in the scratch folder.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("mintmark.db").display());
        Self::new(folder, url, None)
    }

    /// On an empty schema of the tests' PostgreSQL.
    pub fn postgresql() -> Self {
        let schema = fresh_url();
        Self::new(tempfile::tempdir().unwrap(), schema.url.clone(), Some(schema))
    }

    /// On whatever database `url` leads to.
    pub fn on(url: &str) -> Self {
        Self::new(tempfile::tempdir().unwrap(), url.to_owned(), None)
    }

    fn new(folder: TempDir, url: String, schema: Option<TestDatabase>) -> Self {
        let installation = Self {
            folder,
            settings: BTreeMap::new(),
            url,
            through: Vec::new(),
            _schema: schema,
        };
        let master_key = installation.path("master.key").display().to_string();
        let url = installation.url.clone();
        installation
            .with("listen.public", "127.0.0.1:0")
            .with("listen.admin", "127.0.0.1:0")
            .with("log.format", "json")
            .with("database.timeout", "5s")
            .with("registry.timeout", "5s")
            .with("keys.master_key_file", &master_key)
            .with("database.url", &url)
    }

    /// The same with one setting more, or another value for it.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// The same, passing over a signal that would end the program.
    pub fn ignoring(self, signal: &str) -> Self {
        self.through(&["/usr/bin/env", &format!("--ignore-signal={signal}")])
    }

    /// The same, started with this limit of open files: `soft:hard`, where the one left out stays as it is.
    pub fn opening_files(self, limit: &str) -> Self {
        self.through(&["/usr/bin/prlimit", &format!("--nofile={limit}")])
    }

    fn through(mut self, command: &[&str]) -> Self {
        self.through = command.iter().map(ToString::to_string).collect();
        self
    }

    /// The same with an issuer that can be reached under its own name, as clients that discover it must.
    pub fn reachable(self) -> Self {
        let address = free_address().to_string();
        let public_url = format!("http://{address}");
        self.with("listen.public", &address).with("public_url", &public_url)
    }

    /// Where the store is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A file of the scratch folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a verb to its end.
    pub fn run(&self, arguments: &[&str]) -> Printed {
        self.run_with(arguments, &[])
    }

    /// Runs a verb to its end, with these variables and no others.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Printed {
        let output = self
            .command(arguments)
            .envs(variables.iter().copied())
            .output()
            .expect("the program starts");
        Printed {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("verbs print UTF-8"),
            err: String::from_utf8(output.stderr).expect("verbs print UTF-8"),
        }
    }

    /// Makes the first operator and gives its token.
    pub fn owner(&self) -> String {
        let made = self.run(&["operator", "create", "--email", "owner@example.com", "--role", "owner"]);
        assert_eq!(made.code, Some(0), "{made:?}");
        made.out.trim_end().to_owned()
    }

    /// Starts a server and waits until it is ready.
    pub fn start(&self) -> Server {
        let server = self.launch();
        server.log.wait_for("ready");
        server
    }

    /// Starts a server that must not come up, and gives what it said at its end.
    pub fn start_refused(&self) -> Printed {
        let (code, err) = self.launch().end();
        Printed {
            code,
            out: String::new(),
            err,
        }
    }

    fn launch(&self) -> Server {
        let mut child = self
            .command(&["serve"])
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let pipe = child.stderr.take().expect("the log is piped");
        let log = Arc::new(Log::default());
        let written = Arc::clone(&log);
        let reader = thread::spawn(move || written.follow(BufReader::new(pipe)));
        let printed = BufReader::new(child.stdout.take().expect("what it prints is piped"));
        Server {
            child,
            log,
            reader: Some(reader),
            printed,
            has_tls: self.settings.contains_key("tls.key_file"),
        }
    }

    /// The program, with the settings on disk and nothing in its environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut toml = String::new();
        for (key, value) in &self.settings {
            writeln!(toml, "{key} = {}", Value::from(value.as_str())).unwrap();
        }
        let config = self.path("mintmark.toml");
        fs::write(&config, toml).unwrap();
        let program = env!("CARGO_BIN_EXE_mintmark");
        // Whoever takes it on gives it its process.
        let mut command = match self.through.split_first() {
            None => Command::new(program),
            Some((first, arguments)) => {
                let mut command = Command::new(first);
                command.args(arguments).arg(program);
                command
            }
        };
        command
            .env_clear()
            .current_dir(self.folder.path())
            .arg("--config")
            .arg(config)
            .args(arguments)
            .stdin(Stdio::null());
        command
    }
}

/// A server that runs. Killed when dropped.
pub struct Server {
    child: Child,
    log: Arc<Log>,
    reader: Option<JoinHandle<()>>,
    printed: BufReader<ChildStdout>,
    has_tls: bool,
}

impl Server {
    /// Where the OAuth endpoints listen.
    pub fn public(&self) -> SocketAddr {
        self.address("public")
    }

    /// Where the admin API listens.
    pub fn admin_address(&self) -> SocketAddr {
        self.address("admin")
    }

    /// The URL of a path of the public listener.
    pub fn public_url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.public())
    }

    /// The URL of a path of the admin listener.
    pub fn admin_url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme(), self.admin_address())
    }

    /// The admin API in the name of the operator with this token.
    pub fn admin(&self, token: &str) -> Admin {
        Admin::new(self.admin_url("/admin/v1"), token)
    }

    /// The next line it prints on its standard output, which is not the log.
    pub fn printed(&mut self) -> String {
        let mut line = String::new();
        self.printed.read_line(&mut line).unwrap();
        line
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let name = match signal {
            Signal::Terminate => "-TERM",
            Signal::HangUp => "-HUP",
            Signal::Stop => "-STOP",
            Signal::Continue => "-CONT",
        };
        let process = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill \"$1\" \"$2\"", "sh", name, &process])
            .status();
        assert!(sent.expect("a shell starts").success(), "{name} reaches the server");
    }

    /// Ends it in the middle of whatever it does (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().expect("the server runs");
        self.child.wait().expect("the server ends");
    }

    /// Asks it to stop, and waits until it has. Gives the exit code and the whole log.
    pub fn stop(self) -> (Option<i32>, String) {
        self.signal(Signal::Terminate);
        self.end()
    }

    /// Waits until it ends by itself. Gives the exit code and the whole log.
    pub fn end(mut self) -> (Option<i32>, String) {
        self.log.wait_for_end();
        let status = self.child.wait().expect("the server ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the log can be read");
        }
        (status.code(), self.log.text())
    }

    const fn scheme(&self) -> &'static str {
        if self.has_tls { "https" } else { "http" }
    }

    /// From the line that says where it is ready, in either format.
    fn address(&self, listener: &str) -> SocketAddr {
        let line = self.log.wait_for("ready");
        let found = match serde_json::from_str::<Value>(&line) {
            Ok(fields) => fields[listener].as_str().map(str::to_owned),
            Err(_) => line
                .split_whitespace()
                .find_map(|word| word.strip_prefix(listener)?.strip_prefix('='))
                .map(str::to_owned),
        };
        let found = found.unwrap_or_else(|| panic!("{listener} does not stand in {line}"));
        found.parse().expect("listeners have socket addresses")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A loopback address nobody listens at, with a port that the system gives to nobody by itself.
fn free_address() -> SocketAddr {
    let candidates = std::iter::repeat_with(|| {
        let mut random = [0; 2];
        SystemEntropy::new().fill(&mut random);
        SocketAddr::from(([127, 0, 0, 1], 20_000 + u16::from_be_bytes(random) % 10_000))
    });
    let mut free = candidates
        .take(100)
        .filter(|address| TcpListener::bind(address).is_ok());
    free.next().expect("a port is free")
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, bytes: &[u8]) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
