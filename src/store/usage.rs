//! What is asked about usage, and the rows it is answered with.

use crate::domain::{ClientId, CountedScope, Environment, Granularity, Outcome, PartnerId, Timestamp, TokenRefusal};

/// How far usage is broken down. Each includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UsageGroup {
    /// One row for each environment.
    Environment,
    /// One row for each partner.
    Partner,
    /// One row for each client.
    Client,
    /// One row for each set of scopes of each client.
    Scope,
}

impl UsageGroup {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Environment, Self::Partner, Self::Client, Self::Scope];

    /// The word in queries.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::Partner => "partner",
            Self::Client => "client",
            Self::Scope => "scope",
        }
    }
}

/// Which usage, and how it is summed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageFilter {
    /// By hour, day or month.
    pub granularity: Granularity,
    /// How far broken down.
    pub group: UsageGroup,
    /// What begins at this moment or later.
    pub from: Timestamp,
    /// What begins before this moment.
    pub until: Timestamp,
    /// In this environment.
    pub environment: Option<Environment>,
    /// Of this partner's clients.
    pub partner_id: Option<PartnerId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
}

/// What a row of usage is about, and so where it stands in a list. What is not broken down is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UsagePlace {
    /// When the hour, day or month began.
    pub begins: Timestamp,
    /// Where.
    pub environment: Environment,
    /// Whose.
    pub partner_id: Option<PartnerId>,
    /// Which client's.
    pub client_id: Option<ClientId>,
    /// What was granted.
    pub scope: Option<CountedScope>,
}

impl UsagePlace {
    /// What decides the order of rows, on every engine alike.
    pub(super) fn rank(&self) -> (i64, &str, &str, &str, &str) {
        (
            self.begins.seconds(),
            self.environment.as_str(),
            self.partner_id.as_ref().map_or("", PartnerId::as_str),
            self.client_id.as_ref().map_or("", ClientId::as_str),
            self.scope.as_ref().map_or("", CountedScope::as_str),
        )
    }
}

/// A row of usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// What it is about.
    pub place: UsagePlace,
    /// How many tokens were issued.
    pub issued: u64,
    /// How many requests were refused, each kind at the index of its discriminant.
    pub refused: [u64; TokenRefusal::ALL.len()],
}

impl UsageRow {
    /// How many requests were refused, for whatever reason.
    #[must_use]
    pub fn refused_in_all(&self) -> u64 {
        self.refused.iter().sum()
    }

    pub(super) const fn empty(place: UsagePlace) -> Self {
        Self {
            place,
            issued: 0,
            refused: [0; TokenRefusal::ALL.len()],
        }
    }

    pub(super) const fn add(&mut self, outcome: Outcome, requests: u64) {
        match outcome {
            Outcome::Issued => self.issued += requests,
            Outcome::Refused(refusal) => self.refused[refusal as usize] += requests,
        }
    }
}
