//! `api`: the resource servers' identities.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Invocation;
use super::choice;
use super::conversation::{CreateOptions, ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::APIS;
use crate::domain::{ApiId, Environment, Name, ResourceIndicator, ScopeToken};

/// APIs: the resource servers' identities, an audience and its scopes
#[derive(Args, Debug)]
pub(super) struct Api {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List APIs
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Show an API
    Show(Which),
    /// Register an API
    Create {
        #[command(flatten)]
        api: NewApi,
        #[command(flatten)]
        create: CreateOptions,
    },
    /// Change an API's name, audience or scopes
    Change {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        change: ApiChange,
    },
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only in this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
}

#[derive(Args, Debug)]
struct Which {
    /// The API
    api_id: ApiId,
    /// Where it is
    #[arg(long, value_parser = choice::environment())]
    environment: Environment,
}

#[derive(Args, Serialize, Debug)]
struct NewApi {
    /// Its slug, chosen once, unique in its environment
    api_id: ApiId,
    /// Where it is
    #[arg(long, value_parser = choice::environment())]
    environment: Environment,
    /// What people call it
    #[arg(long)]
    name: Name,
    /// The `aud` of its tokens: an absolute URI
    #[arg(long, value_name = "URI")]
    audience: ResourceIndicator,
    /// The scopes it owns; repeated or separated by spaces
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ', required = true)]
    scopes: Vec<ScopeToken>,
}

#[derive(Args, Serialize, Debug)]
#[group(required = true, multiple = true)]
struct ApiChange {
    /// What people call it
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// The `aud` of its tokens
    #[arg(long, value_name = "URI")]
    #[serde(skip_serializing_if = "Option::is_none")]
    audience: Option<ResourceIndicator>,
    /// The scopes it owns, in place of those before
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<Vec<ScopeToken>>,
}

impl Api {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { filter, list } => server.list(list.of("/apis", &filter), &APIS),
            Verb::Show(which) => server.show(&which.path(), &APIS),
            Verb::Create { api, create } => {
                let created = server.create("/apis", &api, &create)?;
                server.print(&created.body, &APIS)
            }
            Verb::Change { which, change } => server.change(&which.path(), &change, &APIS),
        }
    }
}

impl Which {
    fn path(&self) -> String {
        format!("/apis/{}/{}", self.environment, self.api_id)
    }
}
