//! The environment: QA and Production are apart in issuer, keys, endpoints, client ids and secret prefixes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;

/// One of the two worlds an installation serves. Each is an issuer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Where partners build and test.
    Qa,
    /// Where partners' data is.
    Production,
}

impl Environment {
    /// Both, in the order in which people meet them.
    pub const ALL: [Self; 2] = [Self::Qa, Self::Production];

    /// The word in paths, JSON, SQL and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Qa => "qa",
            Self::Production => "production",
        }
    }

    /// The word inside client ids and client secrets, which tells a reader at a glance what a leak would open.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Qa => "qa",
            Self::Production => "live",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or_else(|| Invalid::new("is neither \"qa\" nor \"production\""))
    }
}
