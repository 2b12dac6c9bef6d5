//! `key`: the signing keys of both environments.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Invocation;
use super::choice;
use super::conversation::{Conversation, ListOptions, RemoteOptions, json};
use super::failure::Failure;
use super::layout::KEYS;
use super::output::Format;
use super::wire::Payload;
use crate::domain::{Environment, KeyId};

/// The largest file taken for a private key, in bytes.
const LARGEST_PEM: u64 = 16_384;

/// Signing keys. They rotate by themselves; this is for the exceptions
#[derive(Args, Debug)]
pub(super) struct Key {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List signing keys
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Let the announced key sign from now on
    Rotate(Where),
    /// The emergency door: take a key out at once, and refuse all it signed
    Revoke {
        /// The key, as `key list` shows it
        #[arg(allow_hyphen_values = true)]
        kid: KeyId,
        #[command(flatten)]
        place: Where,
    },
    /// Announce a key made elsewhere: it signs next
    Import {
        /// One unencrypted PKCS#8 block in PEM; `-` for the standard input
        #[arg(long)]
        file: PathBuf,
        #[command(flatten)]
        place: Where,
    },
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only of this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
}

#[derive(Args, Debug)]
struct Where {
    /// The environment
    #[arg(long, value_parser = choice::environment())]
    environment: Environment,
}

#[derive(Serialize)]
struct Import<'a> {
    pem: &'a str,
}

impl Key {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { filter, list } => server.list(list.of("/keys", &filter), &KEYS),
            Verb::Rotate(place) => act(&mut server, &place.path("rotate"), Payload::None),
            Verb::Revoke { kid, place } => act(&mut server, &place.path(&format!("{kid}/revoke")), Payload::None),
            Verb::Import { file, place } => {
                let pem = read_pem(&file)?;
                act(&mut server, &place.path("import"), json(&Import { pem: &pem }))
            }
        }
    }
}

impl Where {
    fn path(&self, action: &str) -> String {
        format!("/keys/{}/{action}", self.environment)
    }
}

/// The answer is every key of the environment.
fn act(server: &mut Conversation<'_, '_>, path: &str, payload: Payload) -> Result<(), Failure> {
    let answer = server.act(path, payload)?;
    let keys = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
    match server.format {
        Format::People => server.output.block(&KEYS.table(keys))?,
        Format::Json => keys.iter().try_for_each(|key: &Value| server.output.json(key))?,
    }
    Ok(())
}

/// The server judges what is in it; here it only must be a small text.
fn read_pem(path: &Path) -> Result<Zeroizing<String>, Failure> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    let read = if path == Path::new("-") {
        std::io::stdin().take(LARGEST_PEM + 1).read_to_string(&mut text)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST_PEM + 1).read_to_string(&mut text))
    };
    match read {
        Ok(bytes) if bytes as u64 <= LARGEST_PEM => Ok(text),
        Ok(_) => Err(Failure::failed(format!("{} is too large to be a key", path.display()))),
        Err(error) => Err(Failure::failed(format!("{} cannot be read: {error}", path.display()))),
    }
}
