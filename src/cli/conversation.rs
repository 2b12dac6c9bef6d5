//! What every remote verb does: find the server and the token, ask, and print the answer for people or for scripts.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};
use ureq::http::Method;
use zeroize::Zeroizing;

use super::Invocation;
use super::admin_api::AdminApi;
use super::failure::{Exit, Failure};
use super::layout::Layout;
use super::output::{Format, Output};
use super::server_address::ServerAddress;
use super::wire::{Answer, Payload, Trust, Wire};
use crate::domain::{IdempotencyKey, Secret, SecretKind};

/// Names the server where no option does.
const SERVER_VARIABLE: &str = "MINTMARK_SERVER";
/// Holds the operator's token where no file does.
const TOKEN_VARIABLE: &str = "MINTMARK_OPERATOR_TOKEN";

/// How to reach a server and as whom.
#[derive(Args, Debug)]
#[command(next_help_heading = "Server")]
pub(super) struct RemoteOptions {
    #[arg(long, global = true, value_name = "URL")]
    #[arg(help = "The server's admin listener [env: MINTMARK_SERVER] [default: where the settings put it]")]
    server: Option<String>,
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(help = "A file with the operator's token [env: MINTMARK_OPERATOR_TOKEN, the token itself]")]
    token_file: Option<PathBuf>,
    /// Certificates to believe, in PEM, in place of the public authorities'
    #[arg(long, global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// JSON for scripts: one object, or one a line
    #[arg(long, global = true)]
    json: bool,
}

/// How much of a list.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct ListOptions {
    /// So many at the most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// A list to ask for.
pub(super) struct Listing<'a> {
    path: &'a str,
    filter: Vec<(String, String)>,
    most: Option<u32>,
}

impl ListOptions {
    /// As much of the list at `path` as was asked for, of what `filter` lets through.
    pub(super) fn of<'a>(self, path: &'a str, filter: &impl Serialize) -> Listing<'a> {
        Listing {
            path,
            filter: query(filter),
            most: self.limit,
        }
    }
}

/// How to make a creation repeatable.
#[derive(Args, Debug)]
pub(super) struct CreateOptions {
    /// 8 to 64 characters: repeated with the same key within a day, nothing is created twice
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl RemoteOptions {
    /// For whom to print.
    pub(super) fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::People }
    }

    /// Whether anything says that a server is to be asked.
    pub(super) fn names_a_server(&self, invocation: &Invocation<'_>) -> bool {
        self.server.is_some()
            || self.token_file.is_some()
            || invocation.variable(SERVER_VARIABLE).is_some()
            || invocation.variable(TOKEN_VARIABLE).is_some()
    }

    /// Finds server and token. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the token is not one, or there is no token.
    pub(super) fn open<'i, 'o>(&self, invocation: &'i mut Invocation<'o>) -> Result<Conversation<'i, 'o>, Failure> {
        let server = match (&self.server, invocation.variable(SERVER_VARIABLE)) {
            (Some(text), _) => ServerAddress::parse(text)?,
            (None, Some(text)) => ServerAddress::parse(text)?,
            (None, None) => ServerAddress::of(&invocation.settings()?),
        };
        let token = self.token(invocation)?;
        let trust = self.ca_file.as_deref().map_or(Trust::Public, Trust::File);
        Ok(Conversation {
            api: AdminApi::new(Wire::new(&trust)?, server, token),
            format: self.format(),
            output: &mut invocation.output,
        })
    }

    /// What is no operator's token by its form is sent nowhere.
    fn token(&self, invocation: &Invocation<'_>) -> Result<Zeroizing<String>, Failure> {
        let text = match (&self.token_file, invocation.variable(TOKEN_VARIABLE)) {
            (Some(path), _) => token_in(path)?,
            (None, Some(text)) => Zeroizing::new(text.to_owned()),
            (None, None) => {
                return Err(Failure::new(
                    Exit::NotAuthorised,
                    format!("no operator's token: give it in {TOKEN_VARIABLE} or by --token-file"),
                ));
            }
        };
        match Secret::recognise(text.trim_end()) {
            Some(secret) if secret.kind() == SecretKind::Operator => Ok(Zeroizing::new(secret.expose().to_owned())),
            _ => Err(Failure::new(
                Exit::NotAuthorised,
                "what was given as the operator's token is not one, or is damaged: a token begins with mmo_",
            )),
        }
    }
}

fn token_in(path: &Path) -> Result<Zeroizing<String>, Failure> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|error| Failure::failed(format!("{} cannot be read: {error}", path.display())))
}

/// A server that can be asked, and where its answers are printed.
pub(super) struct Conversation<'i, 'o> {
    pub(super) api: AdminApi,
    pub(super) format: Format,
    pub(super) output: &'i mut Output<'o>,
}

impl Conversation<'_, '_> {
    /// Prints a list: lines of JSON as they come, or a table at the end.
    pub(super) fn list(&mut self, list: Listing<'_>, layout: &Layout) -> Result<(), Failure> {
        let mut rows = Vec::new();
        for page in self.api.pages(list.path, list.filter, list.most) {
            let items = page?;
            match self.format {
                Format::People => rows.extend(items),
                Format::Json => items.iter().try_for_each(|item| self.output.json(item))?,
            }
        }
        if self.format == Format::People {
            self.output.block(&layout.table(&rows))?;
        }
        Ok(())
    }

    /// A whole list, unprinted.
    pub(super) fn all(&self, list: Listing<'_>) -> Result<Vec<Value>, Failure> {
        let pages = self.api.pages(list.path, list.filter, list.most);
        Ok(pages.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Prints one thing.
    pub(super) fn show(&mut self, path: &str, layout: &Layout) -> Result<(), Failure> {
        let answer = self.api.get(path)?;
        self.print(&answer.body, layout)
    }

    /// Prints a list that is always whole.
    pub(super) fn list_whole(&mut self, path: &str, layout: &Layout) -> Result<(), Failure> {
        let answer = self.api.get(path)?;
        let items = answer.body["items"].as_array().map_or(&[][..], Vec::as_slice);
        match self.format {
            Format::People => self.output.block(&layout.table(items))?,
            Format::Json => items.iter().try_for_each(|item| self.output.json(item))?,
        }
        Ok(())
    }

    /// Creates something and gives the answer back unprinted.
    pub(super) fn create(
        &mut self,
        path: &str,
        body: &impl Serialize,
        options: &CreateOptions,
    ) -> Result<Answer, Failure> {
        let mut request = self.api.request(Method::POST, path, &[]);
        request.payload = json(body);
        if let Some(key) = &options.idempotency_key {
            request.headers.push(("Idempotency-Key", key.to_string()));
        }
        let answer = self.api.send(&request)?;
        if answer.is_repeated {
            self.output
                .note("This was created before under the same idempotency key; a secret is not shown again.")?;
        }
        Ok(answer)
    }

    /// Changes what is at `path` from what it is now, and prints what it becomes. Somebody else's change in between is not
    /// overwritten.
    pub(super) fn change(&mut self, path: &str, body: &impl Serialize, layout: &Layout) -> Result<(), Failure> {
        let current = self.api.get(path)?;
        let etag = current
            .etag
            .ok_or_else(|| Failure::failed("the answer has no entity tag: is the server of this version?"))?;
        let mut request = self.api.request(Method::PATCH, path, &[]);
        request.headers.push(("If-Match", etag));
        request.payload = json(body);
        let answer = self.api.send(&request)?;
        self.print(&answer.body, layout)
    }

    /// Does something to what is there, and gives the answer back unprinted.
    pub(super) fn act(&self, path: &str, payload: Payload) -> Result<Answer, Failure> {
        let mut request = self.api.request(Method::POST, path, &[]);
        request.payload = payload;
        self.api.send(&request)
    }

    /// The same, and prints what it became.
    pub(super) fn act_and_show(&mut self, path: &str, layout: &Layout) -> Result<(), Failure> {
        let answer = self.act(path, Payload::None)?;
        self.print(&answer.body, layout)
    }

    /// Prints one thing.
    pub(super) fn print(&mut self, thing: &Value, layout: &Layout) -> Result<(), Failure> {
        match (self.format, thing) {
            (Format::People, Value::Object(members)) => self.output.block(&layout.sheet(members))?,
            (Format::People | Format::Json, _) => self.output.json(thing)?,
        }
        Ok(())
    }

    /// Prints what was just made, the member `thing` of the answer, together with the client's secret beside it.
    pub(super) fn print_created(&mut self, thing: &str, answer: &Value, layout: &Layout) -> Result<(), Failure> {
        const SECRET: &str = "client_secret";
        if self.format == Format::Json {
            return Ok(self.output.json(answer)?);
        }
        let mut members = answer[thing].as_object().cloned().unwrap_or_else(Map::new);
        if let Some(text) = answer.get(SECRET) {
            members.insert(SECRET.to_owned(), text.clone());
        }
        self.output.block(&layout.sheet(&members))?;
        if answer.get(SECRET).is_some() {
            self.output
                .note("The secret is shown this once: hand it over by a safe way, and keep no copy.")?;
        }
        Ok(())
    }
}

/// A JSON body.
pub(super) fn json(body: &impl Serialize) -> Payload {
    let text = serde_json::to_string(body).expect("arguments have text keys and no failing serializer");
    Payload::Json(Zeroizing::new(text))
}

/// The members of `filter` that are there, as a query.
fn query(filter: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(members)) = serde_json::to_value(filter) else {
        return Vec::new();
    };
    let text = |value| match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name, text(value)?)))
        .collect()
}
