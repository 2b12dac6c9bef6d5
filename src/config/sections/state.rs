//! What is kept: the store, and what a replica remembers of it.

use std::time::Duration;

use super::key;
use crate::config::reading::Reading;
use crate::config::rule::{Rule, choice, duration, parse_duration, parsed, whole};
use crate::registry::Freshness;
use crate::store::{DatabaseUrl, Migrate};

/// The store.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// The most connections held.
    pub pool_size: u32,
    /// The longest one piece of work may wait for and use a connection.
    pub timeout: Duration,
    /// What becomes of an older schema.
    pub migrate: Migrate,
}

impl DatabaseSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            url: reading.secret(
                key("database.url", "sqlite:data/mintmark.db", "Where the store is."),
                &parsed(
                    "`sqlite:` and a file, or `postgres://user:password@host/name` with `/ ? @ : %` \
                 percent-encoded in user and password",
                ),
            ),
            pool_size: reading.value(
                key("database.pool_size", "8", "The most connections to the store."),
                &whole(1, 64),
            ),
            timeout: reading.value(
                key(
                    "database.timeout",
                    "1s",
                    "The longest a request waits for the store before it is answered with 503.",
                ),
                &duration("100ms", "1m"),
            ),
            migrate: reading.value(
                key(
                    "database.migrate",
                    "auto",
                    "Whether `serve` migrates an older schema itself, or refuses to start until `mintmark \
                 migrate` has run.",
                ),
                &choice([("auto", Migrate::Auto), ("require", Migrate::Require)]),
            ),
        }
    }
}

/// What this replica remembers.
#[derive(Clone, Debug)]
pub struct RegistrySettings {
    /// The most clients remembered.
    pub cache: usize,
    /// The most revoked tokens remembered.
    pub revoked: usize,
    /// The most tokens whose signature is remembered to be right, in each environment.
    pub verified: usize,
    /// The longest a request waits for a fresh view.
    pub timeout: Duration,
    /// How old a view may be.
    pub freshness: Freshness,
    /// For how long to go on with the last view when the store cannot be reached; none: not at all.
    pub outage: Option<Duration>,
}

impl RegistrySettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            cache: reading.value(
                key(
                    "registry.cache",
                    "100000",
                    "How many clients each replica has room to remember; it takes an eighth more, so that they all find their places. About 1 kB each.",
                ),
                &whole(100, 10_000_000),
            ),
            revoked: reading.value(
                key(
                    "registry.revoked",
                    "1000000",
                    "The most revoked tokens remembered by each replica, in some 35 bytes each, until they would have expired. \
                 Introspection asks the store about tokens of which it cannot tell without the others.",
                ),
                &whole(100, 100_000_000),
            ),
            verified: reading.value(
                key(
                    "registry.verified",
                    "10000",
                    "The most tokens whose signature each replica remembers to be right, in each environment, in about \
                 1 kB each. Introspecting one of them again computes no signature; all that can change is still looked at.",
                ),
                &whole(100, 10_000_000),
            ),
            timeout: reading.value(
                key(
                    "registry.timeout",
                    "1s",
                    "The longest a request waits to learn that what is remembered is still true, before it is \
                 answered with 503.",
                ),
                &duration("50ms", "1m"),
            ),
            freshness: freshness(reading),
            outage: outage(reading),
        }
    }
}

fn freshness(reading: &mut Reading) -> Freshness {
    reading.value(
        key(
            "registry.freshness",
            "at_once",
            "How old the state behind an answer may be. With `at_once` a revocation holds on every \
                 replica when it is acknowledged; a duration trades that for fewer looks at the store.",
        ),
        &Rule::new("`at_once`, or a duration from `100ms` to `1m`", |text| match text {
            "at_once" => Some(Freshness::AtOnce),
            other => parse_duration(other)
                .filter(|age| (Duration::from_millis(100)..=Duration::from_mins(1)).contains(age))
                .map(Freshness::Within),
        }),
    )
}

fn outage(reading: &mut Reading) -> Option<Duration> {
    reading.value(
        key(
            "registry.outage",
            "0s",
            "How long to go on with what is remembered when the store cannot be reached. `0s`: not at \
                 all. During that time a revocation elsewhere is not seen. It bridges tokens, introspection, the JWKS \
                 and the metadata, as far as memory goes; what has to be read is answered with 503.",
        ),
        &duration("0s", "1h").and_then(|outage| Some((!outage.is_zero()).then_some(outage))),
    )
}
