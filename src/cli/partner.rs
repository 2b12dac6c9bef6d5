//! `partner`: the companies that integrate.

use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::Invocation;
use super::choice;
use super::conversation::{Conversation, CreateOptions, ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::{PARTNERS, QUOTAS};
use super::limits::PlanOptions;
use crate::domain::{Name, PartnerId, ScopeToken, Search};

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
    /// Change a partner's name, ceiling or plan
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
    /// Only with this in the name or the id, in whatever case
    #[arg(long, value_name = "TEXT")]
    search: Option<Search>,
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
    #[command(flatten)]
    #[serde(skip)]
    plan: PlanOptions,
}

#[derive(Args, Serialize, Debug)]
#[command(group = ArgGroup::new("changes").multiple(true).required(true)
    .args(["name", "scope_ceiling", "no_plan"]).args(PlanOptions::FLAGS))]
struct PartnerChange {
    /// What people call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// The scopes its clients can have at the most, in place of those before
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_ceiling: Option<Vec<ScopeToken>>,
    #[command(flatten)]
    #[serde(skip)]
    plan: PlanOptions,
    /// Take the plan away: nothing is limited any more
    #[arg(long, conflicts_with_all = PlanOptions::FLAGS)]
    #[serde(skip)]
    no_plan: bool,
}

impl Partner {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { filter, list } => server.list(list.of("/partners", &filter), &PARTNERS),
            Verb::Show { partner_id } => server.show(&at(&partner_id), &PARTNERS),
            Verb::Create { partner, create } => create_partner(&mut server, &partner, &create),
            Verb::Change { partner_id, change } => server.change(&at(&partner_id), &change.body(), &PARTNERS),
            Verb::Suspend { partner_id } => server.act_and_show(&format!("{}/suspend", at(&partner_id)), &PARTNERS),
            Verb::Quota { partner_id } => server.list_whole(&format!("{}/quota", at(&partner_id)), &QUOTAS),
            Verb::Reinstate { partner_id } => server.act_and_show(&format!("{}/reinstate", at(&partner_id)), &PARTNERS),
        }
    }
}

impl PartnerChange {
    fn body(&self) -> Value {
        let mut body = with_plan(self, self.plan);
        if self.no_plan {
            body["plan"] = Value::Null;
        }
        body
    }
}

/// What is sent: the members, and the plan if one was said.
fn with_plan(members: &impl Serialize, plan: PlanOptions) -> Value {
    let mut body = json!(members);
    if let Some(plan) = plan.plan() {
        body["plan"] = json!(plan);
    }
    body
}

fn at(partner_id: &PartnerId) -> String {
    format!("/partners/{partner_id}")
}

fn create_partner(
    server: &mut Conversation<'_, '_>,
    partner: &NewPartner,
    options: &CreateOptions,
) -> Result<(), Failure> {
    let created = server.create("/partners", &with_plan(partner, partner.plan), options)?;
    server.print(&created.body, &PARTNERS)
}
