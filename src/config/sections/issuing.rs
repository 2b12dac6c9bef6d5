//! What is issued and announced: keys, JWK sets, tokens, metadata.

use std::path::PathBuf;

use super::key;
use crate::config::reading::Reading;
use crate::config::rule::{choice, flag, path, seconds};
use crate::domain::{Algorithm, Environment, Seconds, TokenLifetime};

/// The master key and the signing keys.
#[derive(Clone, Debug)]
pub struct KeySettings {
    /// 32 bytes, readable by the server only.
    pub master_key_file: PathBuf,
    /// How long a signing key signs before the next one does.
    pub rotate_every: Seconds,
}

impl KeySettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            master_key_file: reading.value(
                key(
                    "keys.master_key_file",
                    "keys/master.key",
                    "The root of all digests and seals; made at the first start. Without it the store is \
                 worthless, so back it up, apart from the store. `MINTMARK_MASTER_KEY_FILE` names it too.",
                ),
                &path(),
            ),
            rotate_every: reading.value(
                key(
                    "keys.rotate_every",
                    "30d",
                    "How long a signing key signs before the next one takes over. Longer than `jwks.max_age`.",
                ),
                &seconds("1h", "366d"),
            ),
        }
    }
}

/// How verifiers remember the signing keys.
#[derive(Clone, Debug)]
pub struct JwksSettings {
    /// The `max-age` of the JWK set's `Cache-Control`, and so the least time that a key is announced before it signs.
    pub max_age: Seconds,
}

impl JwksSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            max_age: reading.value(
                key(
                    "jwks.max_age",
                    "5m",
                    "How long resource servers may cache the JWK set. A new key is announced that long, and a minute, before \
                 it signs.",
                ),
                &seconds("10s", "1d"),
            ),
        }
    }
}

/// Access tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// `expires_in` of clients without a lifetime of their own.
    pub lifetime: TokenLifetime,
    /// Until which age a token is handed again to a client that asks for the same; none: never.
    pub coalesce: Option<Seconds>,
}

impl TokenSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            lifetime: reading.value(
                key(
                    "tokens.lifetime",
                    "300s",
                    "How long an access token is valid, unless its client has a lifetime of its own.",
                ),
                &seconds("60s", "3600s").and_then(|lifetime| TokenLifetime::try_from(lifetime.get()).ok()),
            ),
            coalesce: reading.value(
                key(
                    "tokens.coalesce",
                    "0s",
                    "A client that asks for the same again gets the same token until it is this old, and while half of \
                 its time is left. `0s`: each request gets a token of its own. For clients that never keep theirs; whoever shares a \
                 token loses it when one of them revokes it.",
                ),
                &seconds("0s", "5m").and_then(|youth| Some((youth.get() > 0).then_some(youth))),
            ),
        }
    }
}

/// What differs between the environments.
#[derive(Clone, Debug)]
pub struct Environments {
    /// Where partners build and test.
    pub qa: EnvironmentSettings,
    /// Where partners' data is.
    pub production: EnvironmentSettings,
}

/// The settings of one environment.
#[derive(Clone, Debug)]
pub struct EnvironmentSettings {
    /// What its next signing keys are made for.
    pub algorithm: Algorithm,
}

impl Environments {
    /// The settings of `environment`.
    #[must_use]
    pub const fn of(&self, environment: Environment) -> &EnvironmentSettings {
        match environment {
            Environment::Qa => &self.qa,
            Environment::Production => &self.production,
        }
    }

    pub(super) fn read(reading: &mut Reading) -> Self {
        let algorithm = || choice(Algorithm::ALL.map(|algorithm| (algorithm.as_str(), algorithm)));
        Self {
            qa: EnvironmentSettings {
                algorithm: reading.value(
                    key(
                        "environments.qa.algorithm",
                        "ES256",
                        "What the QA environment signs with from its next key on.",
                    ),
                    &algorithm(),
                ),
            },
            production: EnvironmentSettings {
                algorithm: reading.value(
                    key(
                        "environments.production.algorithm",
                        "ES256",
                        "What the Production environment signs with from its next key on.",
                    ),
                    &algorithm(),
                ),
            },
        }
    }
}

/// The authorization server metadata (RFC 8414).
#[derive(Clone, Debug)]
pub struct MetadataSettings {
    /// Whether the metadata holds an empty `response_types_supported`.
    pub response_types_supported: bool,
}

impl MetadataSettings {
    pub(super) fn read(reading: &mut Reading) -> Self {
        Self {
            response_types_supported: reading.value(
                key(
                    "metadata.response_types_supported",
                    "false",
                    "Whether the metadata holds `\"response_types_supported\": []`, for client libraries that \
                 insist on the member. There is no authorization endpoint, so RFC 8414 §3.2 has it left \
                 out.",
                ),
                &flag(),
            ),
        }
    }
}
