//! Those who run the server: their tokens and their log.

use log::LevelFilter;

use super::key;
use crate::config::reading::Reading;
use crate::config::rule::{choice, flag, seconds};
use crate::domain::{Seconds, SessionPolicy};
use crate::telemetry::LogFormat;

/// Those who administer.
#[derive(Clone, Debug)]
pub struct OperatorSettings {
    /// How long an operator's token is valid.
    pub token_lifetime: Seconds,
}

impl OperatorSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            token_lifetime: reading.value(
                key(
                    "operators.token_lifetime",
                    "90d",
                    "How long an operator's token is valid.",
                ),
                &seconds("1h", "366d"),
            ),
        }
    }
}

/// The console.
#[derive(Clone, Debug)]
pub struct ConsoleSettings {
    /// How long its sessions last.
    pub sessions: SessionPolicy,
}

impl ConsoleSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            sessions: SessionPolicy {
                idle: reading.value(
                    key(
                        "console.idle",
                        "30m",
                        "How long a session of the console lasts in which no page is asked for.",
                    ),
                    &seconds("2m", "12h"),
                ),
                longest: reading.value(
                    key(
                        "console.longest",
                        "12h",
                        "How long a session of the console lasts at the most. Then its operator signs in again.",
                    ),
                    &seconds("2m", "7d"),
                ),
            },
        }
    }
}

/// The secrets of clients.
#[derive(Clone, Debug)]
pub struct SecretSettings {
    /// How long a secret must have been silent to be called safe to retire.
    pub safe_to_retire_after: Seconds,
}

impl SecretSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            safe_to_retire_after: reading.value(
                key(
                    "secrets.safe_to_retire_after",
                    "14d",
                    "How long a client secret must not have been used, while another of the same client was, to be shown \
                 as safe to retire. Nothing is retired by it.",
                ),
                &seconds("1h", "366d"),
            ),
        }
    }
}

/// What is counted of clients.
#[derive(Clone, Debug)]
pub struct UsageSettings {
    /// How long it is kept.
    pub keep: Seconds,
}

impl UsageSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            keep: reading.value(
                key(
                    "usage.keep",
                    "400d",
                    "How long the counts of tokens and refusals are kept, by hour, day and month.",
                ),
                &seconds("31d", "3660d"),
            ),
        }
    }
}

/// The log.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// The least urgent level that is written.
    pub level: LevelFilter,
    /// How a line looks.
    pub format: LogFormat,
    /// Whether each token issued has a line at `info`.
    pub requests: bool,
}

impl LogSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        let levels = [
            ("off", LevelFilter::Off),
            ("error", LevelFilter::Error),
            ("warn", LevelFilter::Warn),
            ("info", LevelFilter::Info),
            ("debug", LevelFilter::Debug),
            ("trace", LevelFilter::Trace),
        ];
        let formats = [
            ("auto", LogFormat::Auto),
            ("text", LogFormat::Text),
            ("json", LogFormat::Json),
        ];
        Self {
            level: reading.value(
                key("log.level", "info", "The least urgent level that is written."),
                &choice(levels),
            ),
            format: reading.value(
                key(
                    "log.format",
                    "auto",
                    "How a line looks. `auto`: readable on a terminal, one JSON object a line otherwise.",
                ),
                &choice(formats),
            ),
            requests: reading.value(
                key(
                    "log.requests",
                    "false",
                    "Whether every request has a line at `info`, the ones that succeed too.",
                ),
                &flag(),
            ),
        }
    }
}
