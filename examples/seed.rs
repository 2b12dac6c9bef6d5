//! Fills the store of the settings in force with clients, for `scripts/bench.sh`, and writes down what they authenticate with.
//!
//! `seed 1000000 FOLDER` registers an API, a thousand partners and so many clients in QA, each as a change of its own, so that the
//! store is what an installation of that size would have. Then FOLDER holds `clients`, with the value of an `Authorization` header on
//! each line, and `resource_server`, with that of the API's own credential. Secrets in a file: this is for measuring, nothing else.

#[path = "world/records.rs"]
mod records;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use mintmark::app::{Ambient, open_installation};
use mintmark::config::Settings;
use mintmark::domain::{AccessLevel, AllowedApis, ClientRole, Mutation, PartnerId, Pepper, Timestamp};
use mintmark::store::commit_in_bulk;

use self::records::{API, Outcome, api, attribution, client, partner};

const PARTNERS: usize = 1000;
/// Changes in one transaction.
const AT_A_TIME: usize = 50_000;
/// How long such a transaction may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What everything registered here has in common.
struct Seed {
    ambient: Ambient,
    settings: Settings,
    pepper: Pepper,
    now: Timestamp,
}

fn main() -> Outcome<()> {
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
    };
    seed.register(number, Path::new(&folder))
}

impl Seed {
    fn register(&self, number: usize, folder: &Path) -> Outcome<()> {
        let partners: Vec<PartnerId> = (0..PARTNERS.min(number))
            .map(|number| format!("p{number:04}").parse())
            .collect::<Result<_, _>>()?;
        let mut first = vec![Mutation::ApiRegistered(api(self.now)?)];
        for partner_id in &partners {
            first.push(Mutation::PartnerRegistered(partner(partner_id.as_str(), self.now)?));
        }
        let mut header = File::create(folder.join("resource_server"))?;
        let of_the_api = ClientRole::ResourceServer { api_id: API.parse()? };
        first.push(self.client((of_the_api, 0), &mut header)?);
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

    fn commit(&self, mutations: Vec<Mutation>) -> Outcome<()> {
        let url = &self.settings.database.url;
        Ok(commit_in_bulk(url, PATIENCE, &attribution(), mutations)?)
    }

    /// The client with this number, whose header is written to `headers`. Its ids count upwards, so that the indexes grow at one end.
    fn client(&self, (role, number): (ClientRole, usize), headers: &mut dyn Write) -> Outcome<Mutation> {
        let word = match &role {
            ClientRole::Partner { partner_id, .. } => partner_id.to_string(),
            ClientRole::ResourceServer { api_id } => api_id.to_string(),
        };
        let client_id = format!("qa-{word}-{number:010}");
        let chance = (&self.pepper, &*self.ambient.entropy);
        let (client, mut secret, credentials) = client((&client_id, role), chance, self.now)?;
        secret.secret_id = format!("{number:016}").parse()?;
        writeln!(headers, "{}", credentials.header())?;
        Ok(Mutation::ClientRegistered(client, secret))
    }
}
