//! How a verb ends: one of six exit codes, and for all but the first a sentence or more on the error stream.

use std::io;
use std::process::ExitCode;

use crate::app::AppError;
use crate::office::OfficeError;
use crate::store::{OpenError, StoreError};

/// The exit codes, documented in `--help` and in `docs/CLI.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Done = 0,
    /// It was refused, or it failed, or what was checked did not hold.
    Failed = 1,
    /// The command line is not one of ours.
    Usage = 2,
    /// There is no such thing.
    NotFound = 3,
    /// Nobody may do this, or not with this token.
    NotAuthorised = 4,
    /// The server or its store does not answer; trying again later may help.
    Unavailable = 5,
}

/// The same as a table, for the end of `--help`.
pub(super) const EXIT_CODES: &str = "Exit codes:
  0  it was done
  1  it was refused or failed, or what was checked did not hold
  2  the command line is not understood
  3  there is no such thing
  4  not authorised: no operator's token, or not one that may do this
  5  unavailable: the server or its store does not answer";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a verb did not do what it was asked to. The sentences are for the person at the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// With which code the program ends.
    pub(super) exit: Exit,
    /// What to print, each on a line of its own; empty when nobody reads any more.
    pub(super) sentences: Vec<String>,
}

impl Failure {
    pub(super) fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentences: vec![sentence.into()],
        }
    }

    pub(super) fn failed(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Failed, sentence)
    }

    pub(super) fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// The same with one more sentence.
    pub(super) fn and(mut self, sentence: impl Into<String>) -> Self {
        self.sentences.push(sentence.into());
        self
    }
}

/// What was printed could not be written. A reader that has gone, as `head` does, had enough: that is no failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self {
                exit: Exit::Done,
                sentences: Vec::new(),
            }
        } else {
            Self::failed(format!("the output cannot be written: {error}"))
        }
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Open(error) => error.into(),
            AppError::Store(error) => error.into(),
            AppError::MasterKey(_)
            | AppError::Keyring(_)
            | AppError::Keys(_)
            | AppError::Listen { .. }
            | AppError::Tls(_)
            | AppError::Webhook(_)
            | AppError::Io(_) => Self::failed(error.to_string()),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let exit = match error {
            OpenError::Unreachable { .. } => Exit::Unavailable,
            OpenError::InUse(_) | OpenError::File { .. } | OpenError::NoWriteAheadLog(_) | OpenError::Migration(_) => {
                Exit::Failed
            }
        };
        Self::new(exit, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match error {
            StoreError::Unavailable(_) => Exit::Unavailable,
            StoreError::Corrupt(_) => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<OfficeError> for Failure {
    fn from(error: OfficeError) -> Self {
        match error {
            OfficeError::Refused(refusal) => Self::failed(refusal.to_string()),
            OfficeError::Store(error) => error.into(),
            OfficeError::Key(error) => Self::failed(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_help_names_every_code() {
        let listed: Vec<_> = EXIT_CODES
            .lines()
            .skip(1)
            .filter_map(|line| line.trim().split(' ').next()?.parse::<u8>().ok())
            .collect();
        let exits = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::NotFound,
            Exit::NotAuthorised,
            Exit::Unavailable,
        ];
        assert_eq!(listed, exits.map(|exit| exit as u8));
    }

    #[test]
    fn a_reader_that_has_gone_is_no_failure() {
        let gone = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((gone.exit, gone.sentences.len()), (Exit::Done, 0));
        assert_eq!(
            Failure::from(io::Error::from(io::ErrorKind::StorageFull)).exit,
            Exit::Failed
        );
    }
}
