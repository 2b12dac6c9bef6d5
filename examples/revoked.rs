//! What issuing and introspecting cost beside many revoked tokens, against none: for `scripts/bench.sh`.
//!
//! `revoked 1000000 URL URL` fills the second of two empty databases with so many revoked tokens, then loads both in alternating
//! slices, since the speed of a machine changes within seconds and only neighbouring slices compare. No HTTP: what is measured is
//! what could depend on the number of tokens. It prints lines of fields with tabs between them:
//!
//! - `opened`, how many revoked tokens a replica remembers, the milliseconds it took to open;
//! - `compared`, of what, requests a second beside many and beside none, the ratio of the two, its first and its third quartile.

#[path = "world/house.rs"]
mod house;
#[path = "world/records.rs"]
#[expect(dead_code, reason = "nothing is asked over HTTP")]
mod records;

use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::rt::{System, spawn};
use mintmark::ambient::{Clock as _, SystemClock, SystemEntropy};
use mintmark::authority::Authority;
use mintmark::domain::{Algorithm, Environment, Mutation, RevokedToken, Seconds, SecretId, TokenId};
use mintmark::store::{DatabaseUrl, Migrate, StoreSettings, commit_in_bulk, open};

use self::house::{House, PARTNER};
use self::records::{Outcome, attribution};

const PATIENCE: Duration = Duration::from_secs(60);
/// Changes in one transaction.
const AT_A_TIME: usize = 50_000;
/// Slices of each side.
const SLICES: usize = 21;
const SLICE: Duration = Duration::from_millis(200);
/// How many ask at once: on PostgreSQL they wait together for one look at the journal, as they do in a server.
const CALLERS: usize = 32;

/// A replica, and the token it is shown again and again.
struct World {
    house: House,
    authority: Authority,
    token: String,
}

/// What a caller does over and over.
#[derive(Clone, Copy)]
enum Work {
    Issuing,
    Repeated,
    New,
}

fn main() -> Outcome<()> {
    let usage = "usage: revoked NUMBER URL URL";
    let mut arguments = std::env::args().skip(1);
    let number: usize = arguments.next().ok_or(usage)?.parse()?;
    let none: DatabaseUrl = arguments.next().ok_or(usage)?.parse()?;
    let many: DatabaseUrl = arguments.next().ok_or(usage)?.parse()?;
    System::new().block_on(async {
        let none = Rc::new(World::build(none, 0).await?);
        let many = Rc::new(World::build(many, number).await?);
        for work in [Work::Issuing, Work::Repeated, Work::New] {
            compare(work, &none, &many).await?;
        }
        Ok(())
    })
}

/// Loads both sides in turn, and prints what came of it.
async fn compare(work: Work, none: &Rc<World>, many: &Rc<World>) -> Outcome<()> {
    let mut rates = [Vec::new(), Vec::new()];
    let mut ratios = Vec::new();
    for number in 0..=SLICES {
        let (beside_none, beside_many) = if number % 2 == 0 {
            let first = rate(none, work).await?;
            (first, rate(many, work).await?)
        } else {
            let first = rate(many, work).await?;
            (rate(none, work).await?, first)
        };
        // The first pair warms both up.
        if number > 0 {
            rates[0].push(beside_many);
            rates[1].push(beside_none);
            ratios.push(beside_many / beside_none);
        }
    }
    let [_, beside_many, _] = quartiles(&mut rates[0]);
    let [_, beside_none, _] = quartiles(&mut rates[1]);
    let [first, median, third] = quartiles(&mut ratios);
    let what = work.as_str();
    println!("compared\t{what}\t{beside_many:.0}\t{beside_none:.0}\t{median:.3}\t{first:.3}\t{third:.3}");
    Ok(())
}

fn quartiles(values: &mut [f64]) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [SLICES / 4, SLICES / 2, SLICES * 3 / 4].map(|at| values[at])
}

/// How often a second `work` is done, by all callers together.
async fn rate(world: &Rc<World>, work: Work) -> Outcome<f64> {
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let world = Rc::clone(world);
            spawn(async move { world.repeat(work, began).await.map_err(|error| error.to_string()) })
        })
        .collect();
    let mut done = 0;
    for caller in callers {
        done += caller.await??;
    }
    Ok(f64::from(done) / began.elapsed().as_secs_f64())
}

impl Work {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Issuing => "issuing",
            Self::Repeated => "introspecting one token again and again",
            Self::New => "issuing a token and introspecting it",
        }
    }
}

impl World {
    /// A house over the empty database at `url`, in which so many tokens are revoked.
    async fn build(url: DatabaseUrl, revoked: usize) -> Outcome<Self> {
        let house = House::plan(Algorithm::Es256)?;
        let settings = StoreSettings {
            url,
            pool_size: 4,
            timeout: PATIENCE,
            migrate: Migrate::Auto,
        };
        // A SQLite file has one owner: the bulk takes it over.
        house.commit(&*open(&settings)?)?;
        revoke(&settings.url, &house, revoked)?;
        let began = Instant::now();
        let (registry, authority) = house.replica(open(&settings)?)?;
        let (remembered, took) = (registry.revoked_tokens(), began.elapsed().as_millis());
        println!("opened\t{remembered}\t{took}");
        let token = house.issue(&authority).await?;
        Ok(Self {
            house,
            authority,
            token,
        })
    }

    /// Does `work` until the slice that began then is over. Returns how often.
    async fn repeat(&self, work: Work, began: Instant) -> Outcome<u32> {
        let mut done = 0;
        while began.elapsed() < SLICE {
            match work {
                Work::Issuing => drop(self.house.issue(&self.authority).await?),
                Work::Repeated => self.house.introspect(&self.authority, &self.token).await?,
                Work::New => {
                    let token = self.house.issue(&self.authority).await?;
                    self.house.introspect(&self.authority, &token).await?;
                }
            }
            done += 1;
        }
        Ok(done)
    }
}

/// Revokes so many tokens of the house's client, of a secret that it has no more.
fn revoke(url: &DatabaseUrl, house: &House, number: usize) -> Outcome<()> {
    let (entropy, now) = (SystemEntropy::new(), SystemClock.now());
    let secret_id = SecretId::mint(&entropy);
    let revoked = RevokedToken {
        jti: TokenId::mint(&secret_id, &entropy),
        client_id: house.client.client_id.parse()?,
        partner_id: PARTNER.parse()?,
        environment: Environment::Qa,
        expires_at: now,
    };
    for begin in (0..number).step_by(AT_A_TIME) {
        let tokens = (begin..number.min(begin + AT_A_TIME)).map(|number| {
            // Among them the seconds in which the tokens of this run end, and none that is over before the run is.
            let lifetime = u32::try_from(3600 + number % 3600).expect("it is less than two hours");
            Mutation::TokenRevoked(RevokedToken {
                jti: TokenId::mint(&secret_id, &entropy),
                expires_at: now + Seconds(lifetime),
                ..revoked.clone()
            })
        });
        commit_in_bulk(url, PATIENCE, &attribution(), tokens)?;
    }
    Ok(())
}
