//! The command line: its grammar in this process, its work as the real program, with nothing of the caller's environment.

mod demo;
mod grammar;
mod hostile;
mod local;
mod remote;
mod settings;

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mintmark::cli::{self, Exit, Output};
use serde_json::Value;
use tempfile::TempDir;

/// What a call of the program left behind.
#[derive(Debug)]
struct Called {
    exit: i32,
    out: String,
    err: String,
}

impl Called {
    /// The one JSON object that was printed.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON objects that were printed, one a line.
    fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        self.out.lines().map(parse).collect()
    }

    /// The same call, which must have ended so.
    #[track_caller]
    fn exits(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self:?}");
        self
    }
}

/// Calls the command line in this process, with these variables and no others.
fn call(arguments: &[&str], variables: &[(&str, &str)]) -> Called {
    let arguments = ["mintmark"].iter().chain(arguments).map(OsString::from);
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit: Exit = cli::run(arguments, variables.collect(), Output::new(&mut out, &mut err));
    Called {
        exit: exit as i32,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// An installation in a folder of its own, and the real program beside it.
struct Installation {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Installation {
    /// On SQLite, with listeners wherever there is room.
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            variables: Vec::new(),
        }
        .with("MINTMARK_LISTEN__PUBLIC", "127.0.0.1:0")
        .with("MINTMARK_LISTEN__ADMIN", "127.0.0.1:0")
        .with("MINTMARK_DATABASE__TIMEOUT", "10s")
    }

    /// The same with one more variable.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mintmark"));
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs a verb to its end.
    fn run(&self, arguments: &[&str]) -> Called {
        finished(&mut self.command(arguments))
    }

    /// Makes the first operator, and gives back the token.
    fn first_operator(&self) -> String {
        let created = self
            .run(&["operator", "create", "--email", "ada@example.com", "--role", "owner"])
            .exits(0);
        created.out.trim_end().to_owned()
    }

    /// Starts the server and waits until it is ready.
    fn serve(&self) -> Server {
        let mut command = self.command(&["serve"]);
        let mut server = Server {
            child: command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap(),
            admin: String::new(),
            log: Vec::new(),
            rest: None,
        };
        let mut lines = BufReader::new(server.child.stderr.take().unwrap()).lines();
        while let Some(Ok(line)) = lines.next() {
            let record: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
            server.log.push(line);
            if record["message"] == "ready" {
                server.admin = record["admin"].as_str().unwrap().to_owned();
                // What follows is read on, so that the server never waits for us.
                server.rest = Some(std::thread::spawn(move || lines.map_while(Result::ok).collect()));
                return server;
            }
        }
        panic!("the server did not start: {:?}", server.log);
    }
}

/// A server that runs until this is dropped.
struct Server {
    child: Child,
    /// The address of the admin listener.
    admin: String,
    log: Vec<String>,
    rest: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Server {
    /// The admin listener as an origin.
    fn url(&self) -> String {
        format!("http://{}", self.admin)
    }

    /// Ends it, and gives back everything it logged.
    fn end(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let rest = self.rest.take().unwrap().join().unwrap();
        [std::mem::take(&mut self.log), rest].concat().join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn finished(command: &mut Command) -> Called {
    let output = command.output().unwrap();
    Called {
        exit: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
