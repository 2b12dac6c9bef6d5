//! What a server writes, line by line as it comes; waiting for a line is how the tests wait for the server.

use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::{Condvar, Mutex};
use std::time::Instant;

use serde_json::Value;

use super::server::PATIENCE;

/// What a server has written so far.
#[derive(Default)]
pub struct Log {
    written: Mutex<Written>,
    more: Condvar,
}

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    has_ended: bool,
}

impl Log {
    /// Takes down every line until the pipe ends.
    pub fn follow(&self, mut pipe: BufReader<impl std::io::Read>) {
        loop {
            let mut line = Vec::new();
            let read = pipe.by_ref().read_until(b'\n', &mut line).unwrap_or(0);
            let mut written = self.written.lock().unwrap();
            if read == 0 {
                written.has_ended = true;
            } else {
                let text = String::from_utf8(line).expect("the log is UTF-8");
                written.lines.push(text.trim_end_matches('\n').to_owned());
            }
            self.more.notify_all();
            if read == 0 {
                return;
            }
        }
    }

    /// Everything written so far.
    pub fn text(&self) -> String {
        self.written.lock().unwrap().lines.join("\n")
    }

    /// How many lines are written so far.
    pub fn length(&self) -> usize {
        self.written.lock().unwrap().lines.len()
    }

    /// The first line with this message, once it is written.
    pub fn wait_for(&self, message: &str) -> String {
        self.wait_for_one_after(0, message)
    }

    /// The first line with this message after so many lines, once it is written.
    pub fn wait_for_one_after(&self, lines: usize, message: &str) -> String {
        self.wait(
            |written| {
                let mut later = written.lines.iter().skip(lines);
                later.find(|line| says(line, message)).cloned()
            },
            message,
        )
    }

    /// Returns once nothing more can come.
    pub fn wait_for_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.written.lock().unwrap();
        while !written.has_ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the server does not end:\n{}",
                written.lines.join("\n")
            );
            written = self.more.wait_timeout(written, left).unwrap().0;
        }
    }

    fn wait<T>(&self, look: impl Fn(&Written) -> Option<T>, what: &str) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut written = self.written.lock().unwrap();
        loop {
            if let Some(found) = look(&written) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !written.has_ended && !left.is_zero(),
                "the log never says {what:?}:\n{}",
                written.lines.join("\n")
            );
            written = self.more.wait_timeout(written, left).unwrap().0;
        }
    }
}

/// Whether the message of a line, in either format, begins like this.
fn says(line: &str, message: &str) -> bool {
    match serde_json::from_str::<Value>(line) {
        Ok(fields) => fields["message"].as_str().is_some_and(|text| text.starts_with(message)),
        Err(_) => line.contains(&format!("  {message}")),
    }
}
