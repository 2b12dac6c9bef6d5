//! Administration: who may change what, and what a change must respect.
//!
//! Every function takes an [`Administrator`], the proof that an operator's token was checked. Reading needs a role; changing
//! needs a role that still holds when the change is written, so the commit asks again. What a decision depends on is read
//! inside the commit, behind the epoch, where nothing can change between reading and writing.

mod administrator;
mod apis;
mod attention;
mod clients;
mod commit;
mod errand;
mod first_owner;
mod journal;
mod keys;
mod notices;
mod operators;
mod partners;
mod quotas;
mod secrets;
mod sessions;
mod set_up;
mod usage;

use std::sync::Arc;

use thiserror::Error;

pub use administrator::Administrator;
pub use apis::{ApiChange, NewApi};
pub use attention::{Extent, Found};
pub use clients::{AccessChange, ClientChange, ClientWithSecret, NewClient};
pub use errand::{Created, Errand, Idempotency, IfMatch};
pub use first_owner::{Machine, create_first_owner, has_live_owner};
pub use journal::{CheckedRow, CheckedRows, Head, journal_spreadsheet};
pub use keys::{KeyAddress, KeyImport, KeyOutlook};
pub use operators::{NewOperator, OperatorWithToken, RoleChange};
pub use partners::{NewPartner, PartnerChange};
pub use quotas::QuotaStanding;
pub use secrets::{NewSecret, Retirement, SecretStanding, SecretWithText};
pub use sessions::{BegunSession, SignedIn};
pub use usage::{UsageQuestion, usage_spreadsheet};

use self::administrator::Admitted;
use self::set_up::SetUpCode;
use crate::ambient::{Clock, Entropy};
use crate::domain::{Environment, KeyPolicy, Pepper, Refusal, Seconds, SessionPolicy};
use crate::jose::KeyError;
use crate::registry::Registry;
use crate::store::{CommitError, Sealer, StoreError};

/// Why an administrator was not served.
#[derive(Clone, Debug, Error)]
pub enum OfficeError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer. Whether a change was made is then unknown.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No key could be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<CommitError> for OfficeError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refusal) => Self::Refused(refusal),
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

/// What the settings say about administration.
#[derive(Clone, Copy, Debug)]
pub struct OfficePolicy {
    /// How long an operator's token works.
    pub operator_token_lifetime: Seconds,
    /// How long a secret must have been silent, while another is in use, to be called safe to retire.
    pub silence: Seconds,
    /// How long sessions of the console last.
    pub sessions: SessionPolicy,
    /// How long usage is kept.
    pub usage_kept: Seconds,
    /// The rotation of the QA keys.
    pub qa_keys: KeyPolicy,
    /// The rotation of the Production keys.
    pub production_keys: KeyPolicy,
}

impl OfficePolicy {
    /// The rotation of the keys of `environment`.
    #[must_use]
    pub const fn keys(&self, environment: Environment) -> &KeyPolicy {
        match environment {
            Environment::Qa => &self.qa_keys,
            Environment::Production => &self.production_keys,
        }
    }
}

/// What an office is made with.
#[derive(Clone)]
pub struct OfficeParts {
    /// The way to all that is known.
    pub registry: Arc<Registry>,
    /// The key of digests.
    pub pepper: Arc<Pepper>,
    /// What seals new private keys.
    pub sealer: Arc<Sealer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets and ids come from.
    pub entropy: Arc<dyn Entropy>,
    /// What the settings say.
    pub policy: OfficePolicy,
}

/// Where administrators are served.
#[derive(Clone)]
pub struct Office {
    parts: OfficeParts,
    admitted: Admitted,
    set_up_code: SetUpCode,
}

impl Office {
    /// An office over `parts`.
    #[must_use]
    pub fn new(parts: OfficeParts) -> Self {
        Self {
            parts,
            admitted: Admitted::none(),
            set_up_code: SetUpCode::default(),
        }
    }

    /// What this replica remembers, and its budgets of failures.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.parts.registry
    }
}
