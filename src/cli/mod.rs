//! The verbs: parse, call, print. Each ends in one of the exit codes of [`Exit`], and no verb takes a secret as an argument.
//!
//! What works on a running server (`partner`, `client`, `secret`, …) goes through its admin API, as anybody else would. What
//! works on this machine (`serve`, `migrate`, `check`, …) goes through the composition root.

mod admin_api;
mod api;
mod check;
mod choice;
mod client;
mod completions;
mod conversation;
mod demo;
mod failure;
mod first_operator;
mod health;
mod journal;
mod key;
mod layout;
mod limits;
mod migrate;
mod notices;
mod openapi;
mod operator;
mod output;
mod partner;
mod secret;
mod serve;
mod server_address;
mod usage;
mod wire;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use failure::Exit;
pub use output::Output;

use crate::app::Ambient;
use crate::config::Settings;
use failure::{EXIT_CODES, Failure};

/// A standalone OAuth 2.0 client-credentials server for companies that open their APIs to partners
#[derive(Parser, Debug)]
#[command(name = "mintmark", version, after_help = EXIT_CODES, propagate_version = false)]
struct CommandLine {
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(help = "The settings file [env: MINTMARK_CONFIG] [default: mintmark.toml, where there is one]")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Migrate(migrate::Migrate),
    Check(check::Check),
    Health(health::Health),
    Operator(operator::Operator),
    Partner(partner::Partner),
    Api(api::Api),
    Client(client::Client),
    Secret(secret::Secret),
    Key(key::Key),
    Notices(notices::Notices),
    Journal(journal::Journal),
    Usage(usage::Usage),
    Openapi(openapi::Openapi),
    Completions(completions::Completions),
}

/// One call of the program: what its surroundings give to whatever verb was named.
pub(crate) struct Invocation<'o> {
    /// The variables that begin with `MINTMARK_`.
    environment: Vec<(String, String)>,
    /// The settings file named on the command line.
    config: Option<PathBuf>,
    ambient: Ambient,
    output: Output<'o>,
}

impl Invocation<'_> {
    /// A variable that belongs to the command line and is not empty.
    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The settings in force.
    fn settings(&self) -> Result<Settings, Failure> {
        Settings::load(self.config.as_deref(), self.environment.iter().cloned()).map_err(|refused| {
            let first = Failure::failed("the settings are refused:");
            refused
                .problems
                .iter()
                .fold(first, |failure, problem| failure.and(problem.to_string()))
        })
    }
}

/// Runs the verb that `arguments` name, the first of which is the program itself. `environment` are the variables that begin
/// with `MINTMARK_`.
#[must_use]
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Vec<(String, String)>,
    output: Output<'_>,
) -> Exit {
    let mut invocation = Invocation {
        environment,
        config: None,
        ambient: Ambient::of_the_machine(),
        output,
    };
    let done = match CommandLine::try_parse_from(arguments) {
        Ok(CommandLine { config, verb }) => {
            invocation.config = config;
            verb.run(&mut invocation)
        }
        Err(told) => tell(&told, &mut invocation.output),
    };
    let done = done.and_then(|()| Ok(invocation.output.flush()?));
    match done {
        Ok(()) => Exit::Done,
        Err(failure) => report(&failure, &mut invocation.output),
    }
}

/// The command line as clap knows it, for whoever describes it.
#[must_use]
pub fn command() -> clap::Command {
    CommandLine::command()
}

impl Verb {
    fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        match self {
            Self::Serve(verb) => verb.run(invocation),
            Self::Demo(verb) => verb.run(invocation),
            Self::Migrate(verb) => verb.run(invocation),
            Self::Check(verb) => verb.run(invocation),
            Self::Health(verb) => verb.run(invocation),
            Self::Operator(verb) => verb.run(invocation),
            Self::Partner(verb) => verb.run(invocation),
            Self::Api(verb) => verb.run(invocation),
            Self::Client(verb) => verb.run(invocation),
            Self::Secret(verb) => verb.run(invocation),
            Self::Key(verb) => verb.run(invocation),
            Self::Notices(verb) => verb.run(invocation),
            Self::Journal(verb) => verb.run(invocation),
            Self::Usage(verb) => verb.run(invocation),
            Self::Openapi(verb) => verb.run(invocation),
            Self::Completions(verb) => verb.run(invocation),
        }
    }
}

/// What the parser has to say: help and version are results, everything else is a complaint.
fn tell(told: &clap::Error, output: &mut Output<'_>) -> Result<(), Failure> {
    let text = told.render().to_string();
    if told.use_stderr() {
        text.trim_end().lines().try_for_each(|line| output.note(line))?;
        Err(Failure {
            exit: Exit::Usage,
            sentences: Vec::new(),
        })
    } else {
        Ok(output.block(text.trim_end())?)
    }
}

/// Prints a failure. When even that is impossible the exit code alone must say it.
fn report(failure: &Failure, output: &mut Output<'_>) -> Exit {
    let mut sentences = failure.sentences.iter();
    let first = sentences.next().map(|sentence| format!("mintmark: {sentence}"));
    let rest = sentences.map(|sentence| format!("  {sentence}"));
    let told = first
        .into_iter()
        .chain(rest)
        .try_for_each(|sentence| output.note(&sentence));
    match told.and_then(|()| output.flush()) {
        Ok(()) | Err(_) => failure.exit,
    }
}
