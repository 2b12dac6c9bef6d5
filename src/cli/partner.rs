//! `partner`: the companies that integrate.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Invocation;
use super::choice;
use super::conversation::{Conversation, CreateOptions, ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::{PARTNERS, QUOTAS};
use crate::domain::{Name, PartnerId, ScopeToken};

/// Partners: the companies that integrate
#[derive(Args, Debug)]
pub(super) struct Partner {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List partners
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Show a partner
    Show {
        /// The partner
        partner_id: PartnerId,
    },
    /// Register a partner
    Create {
        #[command(flatten)]
        partner: NewPartner,
        #[command(flatten)]
        create: CreateOptions,
    },
    /// Change a partner's name or ceiling
    Change {
        /// The partner
        partner_id: PartnerId,
        #[command(flatten)]
        change: PartnerChange,
    },
    /// Stop all clients of a partner, and of its sub-accounts, at once
    Suspend {
        /// The partner
        partner_id: PartnerId,
    },
    /// Let them work again
    Reinstate {
        /// The partner
        partner_id: PartnerId,
    },
    /// Show what has been drawn of a partner's quotas, which its sub-accounts share
    Quota {
        /// The partner
        partner_id: PartnerId,
    },
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only with this status
    #[arg(long, value_parser = choice::partner_status())]
    status: Option<String>,
    /// Only sub-accounts of this partner
    #[arg(long, value_name = "PARTNER")]
    parent: Option<PartnerId>,
}

#[derive(Args, Serialize, Debug)]
struct NewPartner {
    /// Its slug, chosen once: the `partnerId` claim of its tokens
    partner_id: PartnerId,
    /// What people call it
    #[arg(long)]
    name: Name,
    /// The scopes its clients can have at the most; repeated or separated by spaces [default: none]
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    scope_ceiling: Vec<ScopeToken>,
    /// The partner it is a sub-account of
    #[arg(long, value_name = "PARTNER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<PartnerId>,
}

#[derive(Args, Serialize, Debug)]
#[group(required = true, multiple = true)]
struct PartnerChange {
    /// What people call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// The scopes its clients can have at the most, in place of those before
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_ceiling: Option<Vec<ScopeToken>>,
}

impl Partner {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { filter, list } => server.list(list.of("/partners", &filter), &PARTNERS),
            Verb::Show { partner_id } => server.show(&at(&partner_id), &PARTNERS),
            Verb::Create { partner, create } => create_partner(&mut server, &partner, &create),
            Verb::Change { partner_id, change } => server.change(&at(&partner_id), &change, &PARTNERS),
            Verb::Suspend { partner_id } => server.act_and_show(&format!("{}/suspend", at(&partner_id)), &PARTNERS),
            Verb::Quota { partner_id } => server.list_whole(&format!("{}/quota", at(&partner_id)), &QUOTAS),
            Verb::Reinstate { partner_id } => server.act_and_show(&format!("{}/reinstate", at(&partner_id)), &PARTNERS),
        }
    }
}

fn at(partner_id: &PartnerId) -> String {
    format!("/partners/{partner_id}")
}

fn create_partner(
    server: &mut Conversation<'_, '_>,
    partner: &NewPartner,
    options: &CreateOptions,
) -> Result<(), Failure> {
    let created = server.create("/partners", partner, options)?;
    server.print(&created.body, &PARTNERS)
}
