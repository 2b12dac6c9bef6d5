//! Partners: the companies that integrate, and the tenant boundary.

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::journal::Epoch;
use super::plan::Plan;
use super::refusal::Refusal;
use super::scope::Scope;
use super::text::{Name, PartnerId};
use super::time::Timestamp;

/// A company that integrates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partner {
    /// Its slug, chosen once.
    pub partner_id: PartnerId,
    /// What people call it.
    pub name: Name,
    /// The scopes its clients can have at the most, in both environments.
    pub scope_ceiling: Scope,
    /// Whether its clients may do anything at all.
    pub status: PartnerStatus,
    /// For a sub-account: the partner it belongs to, which has no parent itself. A sub-account can do no more than its
    /// parent, and stands still when the parent is suspended.
    pub parent: Option<PartnerId>,
    /// What its clients, and those of its sub-accounts, may obtain; unbounded where there is none. A sub-account has none of
    /// its own. Boxed, as few have one and many partners are remembered.
    pub plan: Option<Box<Plan>>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The epoch of its last change.
    pub version: Epoch,
}

/// Whether a partner's clients may do anything at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerStatus {
    /// They may.
    Active,
    /// None may, until it is reinstated.
    Suspended,
}

impl PartnerStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Suspended];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

impl Partner {
    /// The partner, if its plan may stand where it does.
    ///
    /// # Errors
    /// When it is a sub-account and has one.
    pub fn planned(self) -> Result<Self, Refusal> {
        if self.parent.is_some() && self.plan.is_some() {
            let reason = Invalid::new("belongs to partners without a parent: a sub-account shares its parent's plan");
            return Err(Refusal::Invalid { field: "plan", reason });
        }
        Ok(self)
    }

    /// The partner, suspended.
    ///
    /// # Errors
    /// When it is suspended already.
    pub fn suspended(self) -> Result<Self, Refusal> {
        match self.status {
            PartnerStatus::Active => Ok(Self {
                status: PartnerStatus::Suspended,
                ..self
            }),
            PartnerStatus::Suspended => Err(Refusal::State("the partner is suspended already")),
        }
    }

    /// The partner, active again.
    ///
    /// # Errors
    /// When it is active already.
    pub fn reinstated(self) -> Result<Self, Refusal> {
        match self.status {
            PartnerStatus::Suspended => Ok(Self {
                status: PartnerStatus::Active,
                ..self
            }),
            PartnerStatus::Active => Err(Refusal::State("the partner is active already")),
        }
    }
}
