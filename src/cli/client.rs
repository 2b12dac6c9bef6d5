//! `client`: the integrations of partners, and the credentials by which APIs introspect.

use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Invocation;
use super::choice;
use super::conversation::{CreateOptions, ListOptions, RemoteOptions};
use super::failure::Failure;
use super::layout::{CLIENTS, QUOTAS};
use super::limits::AllowanceOptions;
use crate::domain::{
    ApiId, ClientId, EmailAddress, Environment, Invalid, Name, Network, PartnerId, ScopeToken, Search, Timestamp,
    TokenLifetime,
};

/// Clients: integrations of partners, and resource servers' credentials
#[derive(Args, Debug)]
pub(super) struct Client {
    #[command(flatten)]
    remote: RemoteOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// List clients
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        list: ListOptions,
    },
    /// Show a client
    Show(Which),
    /// Register a client and print its id and first secret, once
    Create {
        #[command(flatten)]
        client: NewClient,
        #[command(flatten)]
        create: CreateOptions,
    },
    /// Widen, narrow or otherwise change a client
    Change {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        change: ClientChange,
    },
    /// Stop a client at once
    Suspend(Which),
    /// Let it work again
    Reinstate(Which),
    /// End a client at once and for ever
    Revoke(Which),
    /// Show what has been drawn of the quotas in which a client's tokens count
    Quota(Which),
}

#[derive(Args, Serialize, Debug)]
struct Filter {
    /// Only in this environment
    #[arg(long, value_parser = choice::environment())]
    environment: Option<Environment>,
    /// Only of this partner
    #[arg(long = "partner", value_name = "PARTNER")]
    partner_id: Option<PartnerId>,
    /// Only resource servers of this API
    #[arg(long = "api", value_name = "API")]
    api_id: Option<ApiId>,
    /// Only with this status
    #[arg(long, value_parser = choice::client_status())]
    status: Option<String>,
    /// Only with this in the name, the id or the contact, in whatever case
    #[arg(long, value_name = "TEXT")]
    search: Option<Search>,
}

#[derive(Args, Debug)]
struct Which {
    /// The client
    client_id: ClientId,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("whose").args(["partner", "api"]).required(true))]
struct NewClient {
    /// Whose integration it is
    #[arg(long, requires = "access")]
    partner: Option<PartnerId>,
    /// Whose credential it is: that API's, which introspects with it and obtains no tokens
    #[arg(long)]
    api: Option<ApiId>,
    /// Where it works
    #[arg(long, value_parser = choice::environment())]
    environment: Environment,
    /// What people call it
    #[arg(long)]
    name: Name,
    /// The e-mail address of who answers for it
    #[arg(long, value_name = "E-MAIL")]
    contact: EmailAddress,
    #[command(flatten)]
    access: Access,
    /// The APIs its tokens may be for [default: every API that owns a scope it may have]
    #[arg(long = "allow-api", value_name = "API", conflicts_with = "api")]
    allow_apis: Option<Vec<ApiId>>,
    #[command(flatten)]
    settings: ClientSettings,
}

/// Which scopes a partner's client may have.
#[derive(Args, Debug)]
#[group(id = "access", multiple = false, conflicts_with = "api")]
struct Access {
    /// Every scope under the partner's ceiling
    #[arg(long)]
    full: bool,
    /// These scopes; repeated or separated by spaces
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    scope: Option<Vec<ScopeToken>>,
}

/// What clients of both kinds have. Absent members stay as they are, or as the server's settings say.
#[derive(Args, Serialize, Debug)]
struct ClientSettings {
    /// How it authenticates
    #[arg(long = "auth-method", value_parser = choice::auth_method())]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_method: Option<String>,
    /// How long its tokens live, in seconds: 60 to 3600 [default: the server's setting]
    #[arg(long, value_name = "SECONDS", value_parser = lifetime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime: Option<TokenLifetime>,
    /// When it stops working by itself, as in 2030-01-31T12:00:00Z [default: never]
    #[arg(long, value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    /// The network or address it may come from; repeated [default: anywhere]
    #[arg(long = "allow-source", value_name = "NETWORK")]
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_sources: Option<Vec<Network>>,
    #[command(flatten)]
    #[serde(skip)]
    limits: AllowanceOptions,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("changes").multiple(true).required(true).args([
    "name", "contact", "full", "scope", "allow_apis", "allow_every_api", "token_endpoint_auth_method", "token_lifetime",
    "default_token_lifetime", "expires_at", "never_expires", "allowed_sources", "allow_any_source",
    "no_limits",
]).args(AllowanceOptions::FLAGS))]
struct ClientChange {
    /// What people call it
    #[arg(long)]
    name: Option<Name>,
    /// The e-mail address of who answers for it
    #[arg(long, value_name = "E-MAIL")]
    contact: Option<EmailAddress>,
    #[command(flatten)]
    access: ChangedAccess,
    #[command(flatten)]
    settings: ClientSettings,
    #[command(flatten)]
    taken_back: TakenBack,
    #[command(flatten)]
    unbounded: Unbounded,
}

/// Which scopes and APIs from now on.
#[derive(Args, Debug)]
#[group(multiple = true)]
struct ChangedAccess {
    /// Every scope under the partner's ceiling
    #[arg(long, conflicts_with = "scope")]
    full: bool,
    /// These scopes in place of those before
    #[arg(long, value_name = "SCOPE", value_delimiter = ' ')]
    scope: Option<Vec<ScopeToken>>,
    /// The APIs its tokens may be for, in place of those before
    #[arg(long = "allow-api", value_name = "API", conflicts_with = "allow_every_api")]
    allow_apis: Option<Vec<ApiId>>,
    /// Every API that owns a scope it may have
    #[arg(long)]
    allow_every_api: bool,
}

/// What goes back to the default.
#[derive(Args, Debug)]
#[group(multiple = true)]
struct TakenBack {
    /// Its tokens live as long as the server's setting says
    #[arg(long, conflicts_with = "token_lifetime")]
    default_token_lifetime: bool,
    /// It does not stop working by itself
    #[arg(long, conflicts_with = "expires_at")]
    never_expires: bool,
}

/// Which bounds go.
#[derive(Args, Debug)]
#[group(multiple = true)]
struct Unbounded {
    /// It may come from anywhere
    #[arg(long, conflicts_with = "allowed_sources")]
    allow_any_source: bool,
    /// It has no limits of its own: its partner's plan says what it may obtain
    #[arg(long, conflicts_with_all = AllowanceOptions::FLAGS)]
    no_limits: bool,
}

fn lifetime(text: &str) -> Result<TokenLifetime, Invalid> {
    let seconds: u32 = text
        .parse()
        .map_err(|_| Invalid::new("is not a whole number of seconds"))?;
    TokenLifetime::try_from(seconds)
}

impl Client {
    pub(super) fn run(self, invocation: &mut Invocation<'_>) -> Result<(), Failure> {
        let mut server = self.remote.open(invocation)?;
        match self.verb {
            Verb::List { filter, list } => server.list(list.of("/clients", &filter), &CLIENTS),
            Verb::Show(which) => server.show(&which.path(""), &CLIENTS),
            Verb::Create { client, create } => {
                let created = server.create("/clients", &client.body(), &create)?;
                server.print_created("client", &created.body, &CLIENTS)
            }
            Verb::Change { which, change } => server.change(&which.path(""), &change.body(), &CLIENTS),
            Verb::Suspend(which) => server.act_and_show(&which.path("/suspend"), &CLIENTS),
            Verb::Reinstate(which) => server.act_and_show(&which.path("/reinstate"), &CLIENTS),
            Verb::Quota(which) => server.list_whole(&which.path("/quota"), &QUOTAS),
            Verb::Revoke(which) => server.act_and_show(&which.path("/revoke"), &CLIENTS),
        }
    }
}

impl Which {
    fn path(&self, action: &str) -> String {
        format!("/clients/{}{action}", self.client_id)
    }
}

impl NewClient {
    fn body(&self) -> Map<String, Value> {
        let mut body = members(&self.settings);
        put(&mut body, "environment", Some(self.environment));
        put(&mut body, "name", Some(&self.name));
        put(&mut body, "contact", Some(&self.contact));
        put(&mut body, "partner_id", self.partner.as_ref());
        put(&mut body, "api_id", self.api.as_ref());
        put(&mut body, "allowed_apis", self.allow_apis.as_ref());
        let kind = if self.api.is_some() {
            "resource_server"
        } else {
            "partner"
        };
        put(&mut body, "kind", Some(kind));
        put_access(&mut body, &self.access.granted());
        body
    }
}

impl ClientChange {
    fn body(&self) -> Map<String, Value> {
        let mut body = members(&self.settings);
        put(&mut body, "name", self.name.as_ref());
        put(&mut body, "contact", self.contact.as_ref());
        put(&mut body, "allowed_apis", self.access.allow_apis.as_ref());
        put_access(&mut body, &self.access.granted());
        for (member, is_taken_back) in [
            ("allowed_apis", self.access.allow_every_api),
            ("token_lifetime", self.taken_back.default_token_lifetime),
            ("expires_at", self.taken_back.never_expires),
            ("allowed_sources", self.unbounded.allow_any_source),
            ("limits", self.unbounded.no_limits),
        ] {
            if is_taken_back {
                body.insert(member.to_owned(), Value::Null);
            }
        }
        body
    }
}

fn members(settings: &ClientSettings) -> Map<String, Value> {
    let mut body = match json!(settings) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    put(&mut body, "limits", settings.limits.allowance());
    body
}

fn put(body: &mut Map<String, Value>, member: &str, value: Option<impl Serialize>) {
    if let Some(value) = value {
        body.insert(member.to_owned(), json!(value));
    }
}

/// Which scopes a client may have, as far as the arguments say.
enum Granted<'a> {
    Unsaid,
    Full,
    FineGrained(&'a [ScopeToken]),
}

impl Access {
    fn granted(&self) -> Granted<'_> {
        match &self.scope {
            _ if self.full => Granted::Full,
            Some(scope) => Granted::FineGrained(scope),
            None => Granted::Unsaid,
        }
    }
}

impl ChangedAccess {
    fn granted(&self) -> Granted<'_> {
        match &self.scope {
            _ if self.full => Granted::Full,
            Some(scope) => Granted::FineGrained(scope),
            None => Granted::Unsaid,
        }
    }
}

fn put_access(body: &mut Map<String, Value>, granted: &Granted<'_>) {
    let (level, scope) = match granted {
        Granted::Unsaid => return,
        Granted::Full => ("full", None),
        Granted::FineGrained(scope) => ("fine_grained", Some(scope)),
    };
    put(body, "access_level", Some(level));
    put(body, "scope", scope);
}
