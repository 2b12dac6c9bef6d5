//! `usage`: what became of token requests, by hour, day or month.

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::Invocation;
use super::choice;
use super::conversation::{ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::USAGE;
use crate::domain::{ClientId, Environment, PartnerId, Spreadsheet, Timestamp, TokenRefusal};

/// The member that holds what was refused by reason: in CSV each has a column of its own.
const REFUSALS: &str = "refusals";

/// Tokens and refusals of each partner and client, by hour, day or month
#[derive(Args, Debug)]
pub(super) struct Usage {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(flatten)]
    question: Question,
    /// CSV for spreadsheets
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    #[command(flatten)]
    list: ListOptions,
}

#[derive(Args, Serialize, Debug)]
struct Question {
    /// By hour, day or month, in UTC [default: day]
    #[arg(long, value_parser = ["hour", "day", "month"])]
    granularity: Option<String>,
    /// How far broken down [default: client]
    #[arg(long, value_parser = ["environment", "partner", "client", "scope"])]
    group_by: Option<String>,
    /// From the hour, day or month of this time, as in 2030-01-31T12:00:00Z [default: a day, a month or a year back]
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Up to this time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// Only in this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
    /// Only of this partner's clients
    #[arg(long = "partner", value_name = "PARTNER")]
    partner_id: Option<PartnerId>,
    /// Only of this client
    #[arg(long = "client", value_name = "CLIENT")]
    client_id: Option<ClientId>,
}

impl Usage {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        let list = self.list.of("/usage", &self.question);
        if !self.csv {
            return server.list(list, &USAGE);
        }
        let place = USAGE.columns.iter().map(|(_, member)| *member);
        let place: Vec<&str> = place.filter(|member| *member != REFUSALS).collect();
        let refusals = TokenRefusal::ALL.map(TokenRefusal::as_str);
        let mut table = Spreadsheet::new(place.iter().copied().chain(refusals));
        for row in server.all(list)? {
            let place = place.iter().map(|member| cell(&row[*member]));
            let refusals = refusals.map(|refusal| row[REFUSALS][refusal].as_u64().unwrap_or(0).to_string());
            let cells: Vec<String> = place.chain(refusals).collect();
            table.row(cells.iter().map(String::as_str));
        }
        Ok(server.output.bytes(table.finish().as_bytes())?)
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
