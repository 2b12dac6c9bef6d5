//! `journal`: who changed what, and whether that was written as it stands.

mod chain;
mod row;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

use super::Invocation;
use super::choice;
use super::conversation::{ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::JOURNAL;
use super::output::{Format, Output};
use crate::domain::{Environment, PartnerId};
use chain::Verdict;

pub(super) use chain::Chain;
pub(super) use row::StatedHead;

/// The journal: every change, in order
#[derive(Args, Debug)]
pub(super) struct Journal {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Show rows of the journal
    Show {
        #[command(flatten)]
        filter: Filter,
        /// The newest first
        #[arg(long)]
        newest_first: bool,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Recompute the whole chain of hashes, and name the first row that is not as it was written
    Verify {
        /// Read the store itself, without a server; on SQLite the server must not run
        #[arg(long)]
        local: bool,
    },
    /// Print every row, one JSON object a line
    Export,
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only this action, such as client.revoked
    #[arg(long)]
    action: Option<String>,
    /// Only about this kind of thing
    #[arg(long, value_parser = choice::noun())]
    noun: Option<String>,
    /// Only about the thing with this id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    subject: Option<String>,
    /// Only of this partner
    #[arg(long = "partner", value_name = "PARTNER")]
    partner_id: Option<PartnerId>,
    /// Only in this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
}

/// A filter, and from which end.
#[derive(Serialize)]
struct Ordered {
    #[serde(flatten)]
    filter: Filter,
    order: Option<&'static str>,
}

impl Journal {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        match self.verb {
            Verb::Show {
                filter,
                newest_first,
                list,
            } => {
                let order = newest_first.then_some("newest_first");
                let mut server = self.remote.open(invocation)?;
                server.list(list.of("/journal", &Ordered { filter, order }), &JOURNAL)
            }
            Verb::Verify { local: true } => {
                let verdict = chain::of_the_store(invocation)?;
                tell(&verdict, self.remote.format(), &mut invocation.output)
            }
            Verb::Verify { local: false } => {
                let server = self.remote.open(invocation)?;
                let verdict = chain::of_a_server(&server)?;
                tell(&verdict, server.format, server.output)
            }
            Verb::Export => export(&self.remote, invocation),
        }
    }
}

fn export(remote: &RemoteOptions, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let server = remote.open(invocation)?;
    for page in server.api.pages("/journal", Vec::new(), None) {
        page?.iter().try_for_each(|row| server.output.json(row))?;
    }
    Ok(())
}

/// A chain that does not hold is printed for scripts and fails the verb.
fn tell(verdict: &Verdict, format: Format, output: &mut Output<'_>) -> Result<(), Failure> {
    match (verdict, format) {
        (Verdict::Holds(head), Format::People) => output.line(&format!(
            "The journal holds: {} rows, the last with the hash {}.",
            head.epoch, head.hash
        ))?,
        (Verdict::Holds(head), Format::Json) => {
            output.json(&json!({ "holds": true, "epoch": head.epoch, "hash": head.hash }))?;
        }
        (Verdict::Broken(_), Format::People) => {}
        (Verdict::Broken(reason), Format::Json) => output.json(&json!({ "holds": false, "reason": reason }))?,
    }
    match verdict {
        Verdict::Holds(_) => Ok(()),
        Verdict::Broken(reason) => Err(Failure::failed(format!("the journal does not hold: {reason}"))),
    }
}
