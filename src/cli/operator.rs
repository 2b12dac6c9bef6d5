//! `operator`: who administers. The first one is made on the machine itself, since nobody is there yet to be asked.

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use super::Invocation;
use super::choice;
use super::conversation::{Conversation, CreateOptions, ListOptions, RemoteOptions};
use super::failure::Failure;
use super::first_operator;
use super::layout::OPERATORS;
use super::output::{Format, Output};
use super::wire::Payload;
use crate::domain::{EmailAddress, OperatorId, Role, Secret};

/// Operators: who administers, and what each may do
#[derive(Args, Debug)]
pub(super) struct Operator {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List operators, the revoked ones too
    List(ListOptions),
    /// Show one operator
    Show {
        /// The operator's id, as `operator list` shows it
        operator_id: OperatorId,
    },
    /// Make an operator and print the token, once; the first one without a server, on the machine itself
    Create {
        #[command(flatten)]
        operator: NewOperator,
        #[command(flatten)]
        create: CreateOptions,
    },
    /// Change what an operator may do, from now on
    Change {
        /// The operator's id, as `operator list` shows it
        operator_id: OperatorId,
        #[command(flatten)]
        change: OperatorChange,
    },
    /// Give an operator a new token in place of the old, and print it, once
    Rotate {
        /// The operator's id, as `operator list` shows it
        operator_id: OperatorId,
    },
    /// End an operator at once and for ever
    Revoke {
        /// The operator's id, as `operator list` shows it
        operator_id: OperatorId,
    },
}

#[derive(Args, Serialize, Debug)]
struct NewOperator {
    /// Who it is
    #[arg(long, value_name = "E-MAIL")]
    email: EmailAddress,
    /// What it may do: each may do all that the one before it may
    #[arg(long, value_parser = choice::role())]
    role: Role,
}

#[derive(Args, Serialize, Debug)]
struct OperatorChange {
    /// What it may do: each may do all that the one before it may
    #[arg(long, value_parser = choice::role())]
    role: Role,
}

impl Operator {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        if let Verb::Create { operator, .. } = &self.verb
            && !self.remote.names_a_server(invocation)
        {
            return first(operator, self.remote.format(), invocation);
        }
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List(list) => server.list(list.of("/operators", &()), &OPERATORS),
            Verb::Create { operator, create } => {
                let created = server.create("/operators", &operator, &create)?;
                print_token(server.format, &created.body, server.output)
            }
            Verb::Show { operator_id } => server.show(&at(&operator_id), &OPERATORS),
            Verb::Change { operator_id, change } => server.change(&at(&operator_id), &change, &OPERATORS),
            Verb::Rotate { operator_id } => rotate(&mut server, &operator_id),
            Verb::Revoke { operator_id } => server.act_and_show(&format!("{}/revoke", at(&operator_id)), &OPERATORS),
        }
    }
}

fn at(operator_id: &OperatorId) -> String {
    format!("/operators/{operator_id}")
}

fn first(operator: &NewOperator, format: Format, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
    let settings = invocation.settings()?;
    let made = first_operator::create(&settings, &invocation.ambient, operator.email.clone(), operator.role)?;
    let answer = json!({ "operator": made.operator, "token": made.token.as_ref().map(Secret::expose) });
    print_token(format, &answer, &mut invocation.output)
}

fn rotate(server: &mut Conversation<'_, '_>, operator_id: &OperatorId) -> Result<(), Failure> {
    let answer = server.act(&format!("{}/token", at(operator_id)), Payload::None)?;
    print_token(server.format, &answer.body, server.output)
}

/// For people the token stands alone on its line, so that a shell can take it: `TOKEN=$(mintmark operator create …)`.
fn print_token(format: Format, answer: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let Format::People = format else {
        return Ok(output.json(answer)?);
    };
    let operator = &answer["operator"];
    let member = |name: &str| operator[name].as_str().unwrap_or("-").to_owned();
    if let Some(token) = answer["token"].as_str() {
        output.line(token)?;
        output.note(&format!(
            "This is the token of {} ({}, {}) until {}. It is shown this once.",
            member("email"),
            member("role"),
            member("operator_id"),
            member("token_expires_at"),
        ))?;
    } else if let Value::Object(members) = operator {
        output.block(&OPERATORS.sheet(members))?;
    }
    Ok(())
}
