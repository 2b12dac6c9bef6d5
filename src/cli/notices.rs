//! `notices`: what was told before it happens, and whether it arrived.

use clap::Args;
use serde::Serialize;

use super::Invocation;
use super::choice;
use super::conversation::{ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::NOTICES;
use crate::domain::{ClientId, Environment, PartnerId};

/// Notices of secrets and clients that end soon
#[derive(Args, Debug)]
pub(super) struct Notices {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(flatten)]
    filter: Filter,
    /// The newest first
    #[arg(long)]
    newest_first: bool,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only of this kind
    #[arg(long, value_parser = choice::notice_kind())]
    kind: Option<String>,
    /// Only in this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
    /// Only of this partner
    #[arg(long = "partner", value_name = "PARTNER")]
    partner_id: Option<PartnerId>,
    /// Only of this client and its secrets
    #[arg(long = "client", value_name = "CLIENT")]
    client_id: Option<ClientId>,
    /// Only those whose sending to the webhook has come so far
    #[arg(long, value_parser = choice::delivery_state())]
    delivery: Option<String>,
}

/// A filter, and from which end.
#[derive(Serialize)]
struct Ordered {
    #[serde(flatten)]
    filter: Filter,
    order: Option<&'static str>,
}

impl Notices {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let order = self.newest_first.then_some("newest_first");
        let ordered = Ordered {
            filter: self.filter,
            order,
        };
        let mut server = self.remote.open(invocation)?;
        server.list(self.list.of("/notices", &ordered), &NOTICES)
    }
}
