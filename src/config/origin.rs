//! Where a value came from, and what is wrong with it. Nothing here ever holds the value itself.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// Where the value in force was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The settings file, at this line (counted from 1).
    File {
        /// As it was named.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// An environment variable of this name.
    Variable(String),
    /// The content of a file that a `…_file` setting names.
    SecretFile {
        /// As it was named.
        path: PathBuf,
        /// Where the `…_file` setting was given.
        named_by: Box<Origin>,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Variable(name) => write!(f, "environment variable {}", name.escape_debug()),
            Self::SecretFile { path, named_by } => write!(f, "{}, named by {named_by}", path.display()),
        }
    }
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The dotted key, or the variable's name when it stands for no key; none when the file as a whole is meant.
    pub key: Option<String>,
    /// Where it was given, when that is a place one can go to.
    pub origin: Option<Origin>,
    /// Completes a sentence that begins with the key. Never quotes the value.
    pub sentence: String,
}

impl Problem {
    pub(super) fn with_key(key: &str, origin: &Origin, sentence: impl Into<String>) -> Self {
        Self {
            key: Some(key.to_owned()),
            origin: Some(origin.clone()),
            sentence: sentence.into(),
        }
    }

    pub(super) fn with_file(origin: Option<Origin>, sentence: impl Into<String>) -> Self {
        Self {
            key: None,
            origin,
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.key, &self.origin) {
            (Some(key), Some(origin)) => write!(f, "{} ({origin}) {}", key.escape_debug(), self.sentence),
            (Some(key), None) => write!(f, "{} {}", key.escape_debug(), self.sentence),
            (None, Some(origin)) => write!(f, "{origin}: {}", self.sentence),
            (None, None) => f.write_str(&self.sentence),
        }
    }
}

/// The settings cannot be used. Holds every reason, not only the first; printed one a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct RefusedSettings {
    /// In the order in which they were found; never empty.
    pub problems: Vec<Problem>,
}

impl fmt::Display for RefusedSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are refused:")?;
        self.problems.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}
