//! A panic is one line of the log like any other: where it was, and not what it said, since that may hold what a caller sent.

use std::panic::{self, Location, PanicHookInfo};
use std::thread;

/// Tells the log of every panic from now on, in place of the standard error stream.
pub(super) fn tell_of_panics() {
    panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(Location::to_string);
    let place = place.as_deref().unwrap_or("unknown");
    let thread = thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    log::error!(place, thread; "a panic, which is a fault of this program: what was being done there is broken off");
}

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::{Command, Stdio};
    use std::sync::Arc;

    use log::LevelFilter;
    use serde_json::Value;

    use super::*;
    use crate::ambient::SystemClock;
    use crate::telemetry::{LogFormat, start_logging};

    /// Says to this test that it runs in a process of its own, where it may panic.
    const INSIDE: &str = "MINTMARK_TEST_PANICS_INSIDE";

    #[test]
    fn a_panic_is_one_line_that_says_where_and_not_what() {
        let caller = "sent by a caller\n".repeat(10_000);
        if env::var_os(INSIDE).is_some() {
            start_logging(LevelFilter::Info, LogFormat::Json, Arc::new(SystemClock)).unwrap();
            let panics = thread::Builder::new().name("worker".to_owned());
            let ended = panics.spawn(move || panic!("{caller}")).unwrap().join();
            assert!(ended.is_err(), "only the thread ends");
            return;
        }
        let name = "telemetry::panics::tests::a_panic_is_one_line_that_says_where_and_not_what";
        let inside = Command::new(env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(INSIDE, "")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8(inside.stderr).unwrap();
        assert!(inside.status.success(), "{stderr}");
        let lines: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{stderr}");
        assert_eq!(
            (&lines[0]["level"], &lines[0]["thread"]),
            (&"ERROR".into(), &"worker".into())
        );
        assert!(lines[0]["place"].as_str().unwrap().starts_with(file!()), "{stderr}");
        assert!(!stderr.contains("caller"), "{stderr}");
    }
}
