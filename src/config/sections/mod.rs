//! The settings themselves: one type for each concern, and beside it where its keys are declared. The order in which they
//! are read here is the order in which they are printed.

mod issuing;
mod listening;
mod notices;
mod people;
mod state;

pub use issuing::{EnvironmentSettings, Environments, JwksSettings, KeySettings, MetadataSettings, TokenSettings};
pub use listening::{LimitSettings, ListenSettings, ShutdownSettings, TlsSettings};
pub use notices::{NoticeSettings, WebhookSettings};
pub use people::{ConsoleSettings, LogSettings, OperatorSettings, SecretSettings, UsageSettings};
pub use state::{DatabaseSettings, RegistrySettings};

use super::public_url::PublicUrl;
use super::reading::{EffectiveSetting, Key, Reading};
use super::rule::{list, parsed};
use super::trusted_proxies::TrustedProxies;
use crate::domain::Network;

const fn key(name: &'static str, default: &'static str, meaning: &'static str) -> Key {
    Key { name, default, meaning }
}

/// The settings of this installation by concern, valid as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What every issuer begins with.
    pub public_url: PublicUrl,
    /// Where the two listeners stand.
    pub listen: ListenSettings,
    /// Whose forwarded headers are believed.
    pub trusted_proxies: TrustedProxies,
    /// The listeners' own TLS, if they speak it.
    pub tls: Option<TlsSettings>,
    /// The store.
    pub database: DatabaseSettings,
    /// The master key and the signing keys.
    pub keys: KeySettings,
    /// How verifiers remember the signing keys.
    pub jwks: JwksSettings,
    /// Access tokens.
    pub tokens: TokenSettings,
    /// What differs between the environments.
    pub environments: Environments,
    /// What this replica remembers.
    pub registry: RegistrySettings,
    /// The bounds on callers.
    pub limits: LimitSettings,
    /// Those who administer.
    pub operators: OperatorSettings,
    /// Their pages.
    pub console: ConsoleSettings,
    /// Notices of what ends soon.
    pub notices: NoticeSettings,
    /// Where notices are sent, if anywhere.
    pub webhook: Option<WebhookSettings>,
    /// The secrets of clients.
    pub secrets: SecretSettings,
    /// What is counted of clients.
    pub usage: UsageSettings,
    /// The authorization server metadata.
    pub metadata: MetadataSettings,
    /// The log.
    pub log: LogSettings,
    /// The end of the process.
    pub shutdown: ShutdownSettings,
    /// All of the above as they were given, for the print-out.
    pub(in crate::config) effective: Vec<EffectiveSetting>,
}

impl Settings {
    pub(in crate::config) fn read(reading: &mut Reading) -> Self {
        Self {
            public_url: reading.value(
                key(
                    "public_url",
                    "http://127.0.0.1:8080",
                    "The address under which partners reach this server. The issuers are `{public_url}/qa` \
                 and `{public_url}/production`; changing it makes every token in use invalid.",
                ),
                &parsed("an origin such as `https://auth.example.com`; `http` for a loopback host only"),
            ),
            listen: ListenSettings::read(reading),
            trusted_proxies: reading.value(
                key(
                    "trusted_proxies",
                    "",
                    "The reverse proxies whose `X-Forwarded-For` is believed; no other header is. Naming them \
                 also says that they speak TLS to the world.",
                ),
                &list::<Network, _>(
                    "networks such as `10.0.0.0/8`, without bits beyond the prefix, or single addresses",
                ),
            ),
            tls: TlsSettings::read(reading),
            database: DatabaseSettings::read(reading),
            keys: KeySettings::read(reading),
            jwks: JwksSettings::read(reading),
            tokens: TokenSettings::read(reading),
            environments: Environments::read(reading),
            registry: RegistrySettings::read(reading),
            limits: LimitSettings::read(reading),
            operators: OperatorSettings::read(reading),
            console: ConsoleSettings::read(reading),
            notices: NoticeSettings::read(reading),
            webhook: WebhookSettings::read(reading),
            secrets: SecretSettings::read(reading),
            usage: UsageSettings::read(reading),
            metadata: MetadataSettings::read(reading),
            log: LogSettings::read(reading),
            shutdown: ShutdownSettings::read(reading),
            effective: Vec::new(),
        }
    }
}
