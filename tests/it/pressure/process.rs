//! What a process holds, as the kernel tells it (proc(5)).

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::server::Server;

/// What a server holds at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Open descriptors.
    pub files: usize,
    pub threads: usize,
    /// Resident memory.
    pub kib: usize,
    /// How long its threads have worked, to a hundredth of a second.
    pub worked: Duration,
}

impl Process {
    pub fn of(server: &Server) -> Self {
        let folder = format!("/proc/{}", server.id());
        let status = fs::read_to_string(format!("{folder}/status")).expect("the server runs");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_whitespace().next());
            value
                .and_then(|value| value.parse().ok())
                .expect("proc(5) has the line")
        };
        let stat = fs::read_to_string(format!("{folder}/stat")).expect("the server runs");
        let (_, fields) = stat.rsplit_once(')').expect("proc(5) has the name in brackets");
        let ticks = |field: &str| field.parse::<u64>().expect("proc(5) has a number there");
        // Behind the name, the twelfth and thirteenth: utime and stime.
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(ticks).sum();
        Self {
            worked: Duration::from_millis(ticks * 10),
            files: fs::read_dir(format!("{folder}/fd")).expect("the server runs").count(),
            threads: number("Threads:"),
            kib: number("VmRSS:"),
        }
    }
}

/// Lets this process, and the servers it starts from now on, open as many files as the system allows.
pub fn raise_limit_of_open_files() {
    let us = std::process::id().to_string();
    let script = r#"ulimit -Hn | xargs -I hard prlimit --pid "$1" --nofile=hard:hard"#;
    let raised = Command::new("sh").args(["-c", script, "sh", &us]).status();
    assert!(
        raised.expect("a shell starts").success(),
        "prlimit(1) of util-linux is needed"
    );
}
