//! Fills the store of the settings in force with clients, for `scripts/bench.sh`, and writes down what they authenticate with.
//!
//! `seed 1000000 FOLDER` registers an API, a thousand partners and so many clients in QA, each as a change of its own, so that the
//! store is what an installation of that size would have. Then FOLDER holds `clients`, with the value of an `Authorization` header on
//! each line, and `resource_server`, with that of the API's own credential. Secrets in a file: this is for measuring, nothing else.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mintmark::app::{Ambient, open_installation};
use mintmark::config::Settings;
use mintmark::domain::{
    AccessLevel, Actor, AllowedApis, AllowedSources, Api, ApiId, Attribution, AuthMethod, Client, ClientRole,
    ClientSecret, ClientStatus, Environment, Epoch, Mutation, Partner, PartnerId, PartnerStatus, Pepper, Scope, Secret,
    SecretKind, SecretStatus, Timestamp,
};
use mintmark::store::commit_in_bulk;

const PARTNERS: usize = 1000;
const SCOPES: &str = "orders:read orders:write";
/// Changes in one transaction.
const AT_A_TIME: usize = 20_000;

/// What everything registered here has in common.
struct Seed {
    ambient: Ambient,
    settings: Settings,
    pepper: Pepper,
    now: Timestamp,
    scopes: Scope,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: seed NUMBER FOLDER";
    let number: usize = arguments.next().ok_or(usage)?.parse()?;
    let folder = arguments.next().ok_or(usage)?;
    let settings = Settings::load(None, std::env::vars()).map_err(|refused| format!("{:?}", refused.problems))?;
    let ambient = Ambient::of_the_machine();
    let installation = open_installation(&settings, &ambient)?;
    // A SQLite file has one owner: the bulk below takes it over.
    drop(installation.store);
    let seed = Seed {
        now: ambient.clock.now(),
        ambient,
        settings,
        pepper: std::sync::Arc::into_inner(installation.pepper).ok_or("the pepper has another owner")?,
        scopes: SCOPES.parse()?,
    };
    seed.register(number, Path::new(&folder))
}

impl Seed {
    fn register(&self, number: usize, folder: &Path) -> Result<(), Box<dyn Error>> {
        let api_id: ApiId = "orders".parse()?;
        let partners: Vec<PartnerId> = (0..PARTNERS.min(number))
            .map(|number| format!("p{number:04}").parse())
            .collect::<Result<_, _>>()?;
        let mut first = vec![Mutation::ApiRegistered(self.api(api_id.clone())?)];
        for partner_id in &partners {
            first.push(Mutation::PartnerRegistered(self.partner(partner_id.clone())?));
        }
        let mut header = File::create(folder.join("resource_server"))?;
        first.push(self.client((ClientRole::ResourceServer { api_id }, 0), &mut header)?);
        self.commit(first)?;
        let mut headers = BufWriter::new(File::create(folder.join("clients"))?);
        for begin in (0..number).step_by(AT_A_TIME) {
            let piece = (begin..number.min(begin + AT_A_TIME)).map(|number| {
                let role = ClientRole::Partner {
                    partner_id: partners[number % partners.len()].clone(),
                    access: AccessLevel::Full,
                    allowed_apis: AllowedApis::Every,
                };
                self.client((role, number + 1), &mut headers)
            });
            let piece = piece.collect::<Result<Vec<_>, _>>()?;
            self.commit(piece)?;
        }
        Ok(headers.flush()?)
    }

    fn commit(&self, mutations: Vec<Mutation>) -> Result<(), Box<dyn Error>> {
        let attribution = Attribution {
            actor: Actor::CommandLine,
            at: self.ambient.clock.now_milliseconds(),
            request_id: None,
        };
        let database = &self.settings.database;
        Ok(commit_in_bulk(
            &database.url,
            database.timeout,
            &attribution,
            mutations,
        )?)
    }

    fn api(&self, api_id: ApiId) -> Result<Api, Box<dyn Error>> {
        Ok(Api {
            audience: format!("https://api.example.com/{api_id}").parse()?,
            api_id,
            environment: Environment::Qa,
            name: "Orders".parse()?,
            scopes: self.scopes.clone(),
            created_at: self.now,
            version: Epoch::ZERO,
        })
    }

    fn partner(&self, partner_id: PartnerId) -> Result<Partner, Box<dyn Error>> {
        Ok(Partner {
            name: format!("Partner {partner_id}").parse()?,
            partner_id,
            scope_ceiling: self.scopes.clone(),
            status: PartnerStatus::Active,
            parent: None,
            plan: None,
            created_at: self.now,
            version: Epoch::ZERO,
        })
    }

    /// The client with this number, whose header is written to `headers`. Its ids count upwards, so that the indexes grow at one end.
    fn client(&self, (role, number): (ClientRole, usize), headers: &mut dyn Write) -> Result<Mutation, Box<dyn Error>> {
        let word = match &role {
            ClientRole::Partner { partner_id, .. } => partner_id.to_string(),
            ClientRole::ResourceServer { api_id } => api_id.to_string(),
        };
        let client = Client {
            client_id: format!("qa-{word}-{number:010}").parse()?,
            environment: Environment::Qa,
            role,
            name: "Warehouse".parse()?,
            contact: "warehouse@example.com".parse()?,
            token_endpoint_auth_method: AuthMethod::Any,
            token_lifetime: None,
            limits: None,
            allowed_sources: AllowedSources::Any,
            expires_at: None,
            status: ClientStatus::Active,
            created_at: self.now,
            version: Epoch::ZERO,
        };
        let secret = Secret::mint(SecretKind::Client(Environment::Qa), &*self.ambient.entropy);
        let pair = format!("{}:{}", client.client_id, secret.expose());
        writeln!(headers, "Basic {}", STANDARD.encode(pair))?;
        let record = ClientSecret {
            secret_id: format!("{number:016}").parse()?,
            client_id: client.client_id.clone(),
            digest: self.pepper.digest(secret.expose()),
            note: None,
            hint: secret.hint(),
            created_by: Actor::CommandLine.to_string(),
            created_at: self.now,
            not_before: self.now,
            status: SecretStatus::Active,
            expires_at: None,
            last_used_at: None,
            last_used_source: None,
            version: Epoch::ZERO,
        };
        Ok(Mutation::ClientRegistered(client, record))
    }
}
