//! `/console/clients`, and the credentials of a partner: shown once, where they are made, and nowhere again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::chrome::{Chrome, Section};
use super::faults::Faults;
use super::form::Form;
use super::scopes::{Choice, choices};
use super::standing::Standing;
use super::trouble::Trouble;
use super::usage::Usage;
use super::visit::Visit;
use super::{page, usage, words};
use crate::domain::{
    AccessLevel, AllowedSources, Client, ClientId, ClientRole, ClientSecret, ClientStatus, Partner, PartnerId,
    QuotaMode, Role, Scope, Seconds, SecretId, Timestamp,
};
use crate::http::admin::fields::text;
use crate::http::admin::new_client;
use crate::http::admin::problem::Problem;
use crate::office::{ClientWithSecret, Created, NewSecret, Retirement, SecretStanding, SecretWithText};

/// How long an old secret goes on working beside the one that follows it, unless the operator says otherwise.
const OVERLAP: Seconds = Seconds::from_days(7);
/// How many of the secrets that have ended the page of a client shows.
const ENDED: usize = 10;

/// What a client may have, in a word.
pub(super) fn access_of(client: &Client) -> String {
    match &client.role {
        ClientRole::Partner {
            access: AccessLevel::Full,
            ..
        } => "Full".to_owned(),
        ClientRole::Partner {
            access: AccessLevel::FineGrained(scope),
            ..
        } => match scope.iter().count() {
            1 => "1 scope".to_owned(),
            count => format!("{count} scopes"),
        },
        ClientRole::ResourceServer { api_id } => format!("Introspects for {api_id}"),
    }
}

#[derive(Template)]
#[template(path = "client_new.html")]
struct New<'a> {
    chrome: Chrome,
    partner: Partner,
    choices: Vec<Choice>,
    form: &'a Form,
    faults: Faults,
    once: String,
}

/// The dialog for new credentials.
pub(super) async fn new(visit: Visit) -> Result<HttpResponse, Trouble> {
    Ok(page::shown(&dialog(&visit, Faults::default()).await?))
}

async fn dialog(visit: &Visit, faults: Faults) -> Result<New<'_>, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    let partner = visit.office().partner(visit.who(), partner_id).await?;
    let apis = visit.office().apis(visit.who(), None).await?;
    Ok(New {
        chrome: Chrome::new(visit, Some(Section::Partners)),
        choices: choices(&partner, &apis, &visit.form),
        partner,
        form: &visit.form,
        faults,
        once: visit.once(),
    })
}

#[derive(Template)]
#[template(path = "secret.html")]
struct Once {
    chrome: Chrome,
    client: Client,
    /// `None`: the form was sent once more, and the secret was shown before.
    secret: Option<String>,
    /// Where tokens are got with it.
    token_endpoint: String,
}

/// Registers a client and shows its secret.
pub(super) async fn register(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    let partner_id: PartnerId = visit.path("partner_id")?;
    visit.form.put("partner_id", partner_id.to_string());
    visit.form.put("kind", "partner".to_owned());
    visit.form.split("allowed_sources");
    visit.form.begin_day("expires_at");
    match registered(&visit).await {
        Ok(Created::Now(made) | Created::Before(made)) => {
            let ClientWithSecret { client, secret, .. } = made;
            let secret = secret.map(|secret| secret.expose().to_owned());
            Ok(page::shown(&once(&visit, client, secret)))
        }
        Err(problem) => {
            let again = dialog(&visit, Faults::of(problem)?).await?;
            Ok(page::with_status(StatusCode::BAD_REQUEST, &again))
        }
    }
}

async fn registered(visit: &Visit) -> Result<Created<ClientWithSecret>, Problem> {
    const TEXTS: [&str; 7] = [
        "environment",
        "name",
        "contact",
        "kind",
        "partner_id",
        "access_level",
        "expires_at",
    ];
    let form = &visit.form;
    let lists: Vec<&str> = [
        (
            "scope",
            form.get("access_level") == Some("fine_grained") && form.get("scope").is_some(),
        ),
        ("allowed_sources", form.get("allowed_sources").is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_there)| is_there.then_some(name))
    .collect();
    let new = form.members(&TEXTS, &lists).read(new_client)?;
    let errand = visit.creation()?;
    Ok(visit.office().register_client(visit.who(), errand, new).await?)
}

fn once(visit: &Visit, client: Client, secret: Option<String>) -> Once {
    let environment = client.environment;
    Once {
        chrome: Chrome::new(visit, Some(Section::Partners)),
        client,
        secret,
        token_endpoint: format!("{}/{environment}/token", visit.console.public_url),
    }
}

/// Where the page of a client is.
pub(super) fn path_of(client_id: &ClientId) -> String {
    format!("/console/clients/{client_id}")
}

#[derive(Template)]
#[template(path = "client.html")]
struct Shown {
    chrome: Chrome,
    client: Client,
    secrets: Vec<SecretStanding>,
    /// How many others have ended.
    hidden: usize,
    usage: Usage,
    /// The day on which an old secret ends, where a new one is made today.
    overlap_ends: String,
    standing: Standing,
    once: String,
    now: Timestamp,
}

impl Shown {
    fn partner_id(&self) -> Option<&PartnerId> {
        self.client.partner_id()
    }

    fn scope(&self) -> Option<&Scope> {
        match &self.client.role {
            ClientRole::Partner {
                access: AccessLevel::FineGrained(scope),
                ..
            } => Some(scope),
            _ => None,
        }
    }

    fn can_end(&self, secret: &ClientSecret) -> bool {
        !secret.has_ended(self.now)
    }

    fn sources(&self) -> Option<String> {
        match &self.client.allowed_sources {
            AllowedSources::Any => None,
            AllowedSources::Only(networks) => {
                let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
                Some(networks.join(", "))
            }
        }
    }
}

/// Of secrets, the oldest first, those that have not ended and the newest of those that have; and how many are left out.
fn recent(mut secrets: Vec<SecretStanding>, now: Timestamp) -> (Vec<SecretStanding>, usize) {
    let has_ended = |standing: &SecretStanding| standing.secret.has_ended(now);
    let ended = secrets.iter().filter(|standing| has_ended(standing)).count();
    let hidden = ended.saturating_sub(ENDED);
    let mut to_hide = hidden;
    secrets.retain(|standing| {
        let is_hidden = to_hide > 0 && has_ended(standing);
        to_hide -= usize::from(is_hidden);
        !is_hidden
    });
    (secrets, hidden)
}

/// One client.
pub(super) async fn show(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    let client = visit.office().client(visit.who(), client_id.clone()).await?;
    let now = visit.now();
    let (secrets, hidden) = recent(visit.office().secrets(visit.who(), client_id).await?, now);
    Ok(page::shown(&Shown {
        chrome: Chrome::new(&visit, Some(Section::Clients)),
        standing: Standing::of_client(&visit, &client).await?,
        usage: usage::of_client(&visit, &client).await?,
        client,
        secrets,
        hidden,
        overlap_ends: words::day(now + OVERLAP),
        once: visit.once(),
        now,
    }))
}

/// Stops it until it is reinstated.
pub(super) async fn suspend(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    visit.confirmed(client_id.as_str())?;
    let errand = visit.change()?;
    visit
        .office()
        .suspend_client(visit.who(), errand, client_id.clone())
        .await?;
    Ok(page::see(&path_of(&client_id)))
}

/// Lets it go on.
pub(super) async fn reinstate(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    let errand = visit.change()?;
    visit
        .office()
        .reinstate_client(visit.who(), errand, client_id.clone())
        .await?;
    Ok(page::see(&path_of(&client_id)))
}

/// Ends it for ever.
pub(super) async fn revoke(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    visit.confirmed(client_id.as_str())?;
    let errand = visit.change()?;
    visit
        .office()
        .revoke_client(visit.who(), errand, client_id.clone())
        .await?;
    Ok(page::see(&path_of(&client_id)))
}

/// Makes another secret and shows it; the others end when the operator says.
pub(super) async fn rotate(mut visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    let client = visit.office().client(visit.who(), client_id.clone()).await?;
    let errand = visit.creation()?;
    visit.form.begin_day("expires_at");
    visit.form.begin_day("retire_others_at");
    let new = visit
        .form
        .members(&["note", "expires_at", "retire_others_at"], &[])
        .read(|form| {
            let note = form.optional("note", text);
            let expires_at = form.optional("expires_at", text);
            let retire_others_at = form.optional("retire_others_at", text);
            Some(NewSecret {
                client_id,
                note: note?,
                not_before: None,
                expires_at: expires_at?,
                retire_others_at: retire_others_at?,
            })
        })?;
    let added = visit.office().add_secret(visit.who(), errand, new).await?;
    let (Created::Now(SecretWithText { secret, .. }) | Created::Before(SecretWithText { secret, .. })) = added;
    let secret = secret.map(|secret| secret.expose().to_owned());
    Ok(page::shown(&once(&visit, client, secret)))
}

/// Ends a secret now.
pub(super) async fn retire(visit: Visit) -> Result<HttpResponse, Trouble> {
    let client_id: ClientId = visit.path("client_id")?;
    let secret_id: SecretId = visit.path("secret_id")?;
    let errand = visit.change()?;
    let retirement = Retirement {
        client_id: client_id.clone(),
        secret_id,
        at: None,
    };
    visit.office().retire_secret(visit.who(), errand, retirement).await?;
    Ok(page::see(&path_of(&client_id)))
}
