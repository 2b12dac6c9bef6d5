//! What is around every page of somebody who is signed in: who they are, where they are, where they can go.

use super::visit::Visit;
use crate::domain::Role;

/// A part of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// What needs attention.
    Overview,
    /// The companies that integrate.
    Partners,
    /// Their integrations, and the credentials of APIs.
    Clients,
    /// What tokens are for.
    Apis,
    /// What signs tokens.
    Keys,
    /// Who changed what.
    Journal,
    /// Who administers.
    Operators,
}

impl Section {
    /// All of them, in the order of the menu.
    const ALL: [Self; 7] = [
        Self::Overview,
        Self::Partners,
        Self::Clients,
        Self::Apis,
        Self::Keys,
        Self::Journal,
        Self::Operators,
    ];

    /// The least role that finds it in the menu.
    const fn least_role(self) -> Role {
        match self {
            Self::Overview | Self::Partners | Self::Clients | Self::Apis | Self::Keys | Self::Journal => Role::Viewer,
            Self::Operators => Role::Owner,
        }
    }

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Partners => "Partners",
            Self::Clients => "Clients",
            Self::Apis => "APIs",
            Self::Keys => "Keys",
            Self::Journal => "Journal",
            Self::Operators => "Operators",
        }
    }

    /// Where it is.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::Partners => "/console/partners",
            Self::Clients => "/console/clients",
            Self::Apis => "/console/apis",
            Self::Keys => "/console/keys",
            Self::Journal => "/console/journal",
            Self::Operators => "/console/operators",
        }
    }
}

/// What is around a page.
pub(super) struct Chrome {
    /// Who is signed in.
    pub(super) email: String,
    /// What they may do.
    pub(super) role: Role,
    /// What the page's forms prove themselves with.
    pub(super) proof: String,
    /// Where the page is.
    pub(super) section: Option<Section>,
}

impl Chrome {
    /// That of a page of `section`.
    pub(super) fn new(visit: &Visit, section: Option<Section>) -> Self {
        let who = &visit.signed_in.administrator;
        Self {
            email: who.email().to_string(),
            role: who.role(),
            proof: visit.proof.clone(),
            section,
        }
    }

    /// Whether what needs `role` is theirs to do.
    pub(super) fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// The menu, and of each of its lines whether the page belongs to it.
    pub(super) fn menu(&self) -> impl Iterator<Item = (Section, bool)> {
        let sections = Section::ALL
            .into_iter()
            .filter(|section| self.role >= section.least_role());
        sections.map(|section| (section, self.section == Some(section)))
    }
}
