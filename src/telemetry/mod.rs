//! What is seen from outside: the log and the metrics. Neither holds a secret, and nothing a caller sends can forge a line
//! of the one or add a label to the other.

mod line;
mod metrics;
mod noticed;
mod panics;
mod refusals;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use env_logger::{Builder, WriteStyle};
use log::{LevelFilter, SetLoggerError};

pub use line::{write_json, write_text};
pub use metrics::{CacheResult, DrawResult, Endpoint, KeyState, Metrics, Reason, TokenOutcome};
pub use noticed::{ExpiresWithin, Noticed, WebhookOutcome};
pub use refusals::Line;

use crate::ambient::Clock;

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text if the standard error stream is a terminal, else JSON.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Whether lines are JSON for a stream that is a terminal, or is not.
    fn is_json_on(self, stream: &impl IsTerminal) -> bool {
        match self {
            Self::Auto => !stream.is_terminal(),
            Self::Text => false,
            Self::Json => true,
        }
    }
}

/// Sends the `log` crate's records to the standard error stream, one line each, with times from `clock`. Panics become such records.
///
/// # Errors
/// When this process has a logger already.
pub fn start_logging(level: LevelFilter, format: LogFormat, clock: Arc<dyn Clock>) -> Result<(), SetLoggerError> {
    let mut builder = if format.is_json_on(&io::stderr()) {
        json_lines(clock)
    } else {
        text_lines(clock)
    };
    builder.filter_level(level);
    // It writes down whole addresses and heads; the address of a webhook may be a secret.
    builder.filter_module("ureq", level.min(LevelFilter::Warn));
    builder.filter_module("ureq_proto", level.min(LevelFilter::Warn));
    if level < LevelFilter::Debug {
        // To the framework, octets that are no request are an error; to an operator they are a stranger's affair. And how it begins
        // its threads is its own.
        builder.filter_module("actix_http", LevelFilter::Off);
        builder.filter_module("actix_server", level.min(LevelFilter::Warn));
    }
    builder.try_init()?;
    panics::tell_of_panics();
    Ok(())
}

fn json_lines(clock: Arc<dyn Clock>) -> Builder {
    let mut builder = Builder::new();
    // No style is ever written, so there is nothing to strip: let the bytes pass as they are.
    builder.write_style(WriteStyle::Always);
    builder.format(move |out, record| write_json(out, record, clock.now_milliseconds()));
    builder
}

fn text_lines(clock: Arc<dyn Clock>) -> Builder {
    let mut builder = Builder::new();
    builder.format(move |out, record| {
        let style = out.default_level_style(record.level());
        write_text(out, record, clock.now_milliseconds(), style)
    });
    builder
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Mutex;

    use env_logger::Target;
    use log::{Level, Log, Record};

    use super::*;
    use crate::domain::Milliseconds;

    /// It is always 1970-01-01T00:00:00.007Z.
    struct Standing;

    impl Clock for Standing {
        fn now_milliseconds(&self) -> Milliseconds {
            Milliseconds(7)
        }
    }

    /// What others can still read after the logger has taken it.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(mut builder: Builder) -> String {
        let out = Shared::default();
        let target = Target::Pipe(Box::new(out.clone()));
        let logger = builder.filter_level(LevelFilter::Info).target(target).build();
        for (level, message) in [(Level::Info, "seen\u{1b}"), (Level::Debug, "unseen")] {
            let arguments = format_args!("{message}");
            logger.log(&Record::builder().level(level).target("here").args(arguments).build());
        }
        let bytes = out.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_logger_writes_a_line_for_each_record_that_is_urgent_enough() {
        assert_eq!(
            logged(json_lines(Arc::new(Standing))),
            "{\"time\":\"1970-01-01T00:00:00.007Z\",\"level\":\"INFO\",\"target\":\"here\",\"message\":\"seen\\u001b\"}\n"
        );
        let mut plain = text_lines(Arc::new(Standing));
        plain.write_style(WriteStyle::Never);
        assert_eq!(logged(plain), "1970-01-01T00:00:00.007Z INFO  here  seen\\u{1b}\n");
    }

    #[test]
    fn only_auto_looks_at_the_stream() {
        // A plain file is no terminal.
        let file = tempfile::tempfile().unwrap();
        assert!(LogFormat::Auto.is_json_on(&file));
        assert!(LogFormat::Json.is_json_on(&file));
        assert!(!LogFormat::Text.is_json_on(&file));
    }
}
