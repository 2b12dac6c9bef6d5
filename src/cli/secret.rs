//! `secret`: the secrets of a client, and their rotation.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Invocation;
use super::conversation::{CreateOptions, ListOptions, RemoteOptions, json};
use super::failure::Failure;
use super::layout::SECRETS;
use crate::domain::{ClientId, Name, SecretId, Timestamp};

/// Secrets of a client. To rotate: add one, hand it over, retire the old one
#[derive(Args, Debug)]
pub(super) struct Secret {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List a client's secrets, without the secrets themselves
    List {
        /// The client
        client_id: ClientId,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Make a further secret and print it, once
    Add {
        /// The client
        client_id: ClientId,
        #[command(flatten)]
        secret: NewSecret,
        #[command(flatten)]
        create: CreateOptions,
    },
    /// End a secret, at once unless a time is given
    Retire {
        /// The client
        client_id: ClientId,
        /// The secret's id, as `secret list` shows it
        secret_id: SecretId,
        #[command(flatten)]
        retirement: Retirement,
    },
}

#[derive(Args, Serialize, Debug)]
struct NewSecret {
    /// What people will call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Name>,
    /// From when it works, as in 2030-01-31T12:00:00Z [default: at once]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    /// Until when it works [default: until it is retired]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// When the client's other secrets end [default: they go on]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    retire_others_at: Option<Timestamp>,
}

#[derive(Args, Serialize, Debug)]
struct Retirement {
    /// When it ends, as in 2030-01-31T12:00:00Z [default: at once]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}

impl Secret {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { client_id, list } => server.list(list.of(&of(&client_id), &()), &SECRETS),
            Verb::Add {
                client_id,
                secret,
                create,
            } => {
                let created = server.create(&of(&client_id), &secret, &create)?;
                server.print_created("secret", &created.body, &SECRETS)
            }
            Verb::Retire {
                client_id,
                secret_id,
                retirement,
            } => {
                let path = format!("{}/{secret_id}/retire", of(&client_id));
                let retired = server.act(&path, json(&retirement))?;
                server.print(&retired.body, &SECRETS)
            }
        }
    }
}

fn of(client_id: &ClientId) -> String {
    format!("/clients/{client_id}/secrets")
}
