//! Clients: one integration of one partner in one environment, or the credential by which an API may introspect.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::environment::Environment;
use super::invalid::Invalid;
use super::journal::Epoch;
use super::network::AllowedSources;
use super::plan::Allowance;
use super::random;
use super::refusal::Refusal;
use super::scope::Scope;
use super::text::{ApiId, EmailAddress, Name, PartnerId, text_type};
use super::time::{Seconds, Timestamp};
use crate::ambient::Entropy;

text_type! {
    /// The client identifier (RFC 6749 §2.2), made by us: `qa-acme-…` or `live-acme-…`, at most 64 characters.
    ClientId
}

/// The longest client identifier we make.
const LONGEST_CLIENT_ID: usize = 64;
/// The random end of a client identifier: 50 bits, so that none is ever given twice or guessed from another.
const RANDOM_END: usize = 10;

impl ClientId {
    /// A new identifier: the environment's tag, a word people know the client by, ten random characters.
    #[must_use]
    pub fn mint(environment: Environment, word: &str, entropy: &dyn Entropy) -> Self {
        let random = random::base32(entropy, RANDOM_END);
        Self(format!("{}-{word}-{random}", environment.tag()).into())
    }

    /// Where a client of this name would be at home, if there were one.
    #[must_use]
    pub fn supposed_environment(&self) -> Environment {
        let tagged = |environment: &Environment| self.0.starts_with(environment.tag());
        Environment::ALL.into_iter().find(tagged).unwrap_or(Environment::Qa)
    }
}

impl FromStr for ClientId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let ours = (1..=LONGEST_CLIENT_ID).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if ours {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("is not a client identifier of this server"))
        }
    }
}

/// A registered client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Client {
    /// Its identifier; also the `sub` of its tokens.
    pub client_id: ClientId,
    /// Where it works.
    pub environment: Environment,
    /// Whose it is and what it is for.
    #[serde(flatten)]
    pub role: ClientRole,
    /// What people call it.
    pub name: Name,
    /// Who answers for it.
    pub contact: EmailAddress,
    /// How it authenticates.
    pub token_endpoint_auth_method: AuthMethod,
    /// How long its tokens live, where that differs from the server's setting.
    pub token_lifetime: Option<TokenLifetime>,
    /// What it may obtain, in place of what its partner's plan says of each client; of a partner's client only.
    pub limits: Option<Box<Allowance>>,
    /// From where it may come.
    pub allowed_sources: AllowedSources,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it works.
    pub status: ClientStatus,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The epoch of its last change.
    pub version: Epoch,
}

/// Whose a client is and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientRole {
    /// An integration of a partner: obtains tokens.
    Partner {
        /// Whose it is.
        partner_id: PartnerId,
        /// Which scopes it may have.
        #[serde(flatten)]
        access: AccessLevel,
        /// Which APIs its tokens may be for.
        allowed_apis: AllowedApis,
    },
    /// The credential of an API: introspects tokens of its audience, obtains none.
    ResourceServer {
        /// The API, in the client's environment.
        api_id: ApiId,
    },
}

/// Which scopes a partner's client may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "access_level", content = "scope", rename_all = "snake_case")]
pub enum AccessLevel {
    /// Every scope under the partner's ceiling, as it stands when a token is issued.
    Full,
    /// These, cut to the ceiling when a token is issued.
    FineGrained(Scope),
}

impl AccessLevel {
    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::FineGrained(_) => "fine_grained",
        }
    }
}

/// Which APIs a client's tokens may be for. In JSON: `null` for every API, or a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Option<BTreeSet<ApiId>>", into = "Option<BTreeSet<ApiId>>")]
pub enum AllowedApis {
    /// Every API of the environment that owns a scope the client may have.
    Every,
    /// These.
    Only(BTreeSet<ApiId>),
}

impl AllowedApis {
    /// Whether `api_id` is among them.
    #[must_use]
    pub fn allows(&self, api_id: &ApiId) -> bool {
        match self {
            Self::Every => true,
            Self::Only(apis) => apis.contains(api_id),
        }
    }
}

impl From<Option<BTreeSet<ApiId>>> for AllowedApis {
    fn from(apis: Option<BTreeSet<ApiId>>) -> Self {
        apis.map_or(Self::Every, Self::Only)
    }
}

impl From<AllowedApis> for Option<BTreeSet<ApiId>> {
    fn from(apis: AllowedApis) -> Self {
        match apis {
            AllowedApis::Every => None,
            AllowedApis::Only(apis) => Some(apis),
        }
    }
}

/// How a client authenticates (RFC 7591 §2, `token_endpoint_auth_method`), or that either way will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// HTTP Basic (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// `client_id` and `client_secret` in the body (RFC 6749 §2.3.1).
    ClientSecretPost,
    /// Either of the two, though never both in one request.
    Any,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::Any];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::Any => "any",
        }
    }
}

/// How long a token lives: 60 to 3600 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct TokenLifetime(Seconds);

impl TokenLifetime {
    /// The longest any token lives. Signing keys stay published at least this long after they last signed.
    pub const LONGEST: Self = Self(Seconds(3600));

    /// In seconds.
    #[must_use]
    pub const fn seconds(self) -> Seconds {
        self.0
    }
}

impl TryFrom<u32> for TokenLifetime {
    type Error = Invalid;

    fn try_from(seconds: u32) -> Result<Self, Invalid> {
        if (60..=Self::LONGEST.0.get()).contains(&seconds) {
            Ok(Self(Seconds(seconds)))
        } else {
            Err(Invalid::new("must be between 60 and 3600 seconds"))
        }
    }
}

impl From<TokenLifetime> for u32 {
    fn from(lifetime: TokenLifetime) -> Self {
        lifetime.0.get()
    }
}

/// Whether a client works. Revoked is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientStatus {
    /// It does.
    Active,
    /// It does not, until it is reinstated.
    Suspended,
    /// It never will again.
    Revoked,
}

impl ClientStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Revoked];

    /// The word in JSON and SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }

    /// Whether a client of this status, which stops working at `expires_at`, works at `now`.
    #[must_use]
    pub fn is_live(self, expires_at: Option<Timestamp>, now: Timestamp) -> bool {
        self == Self::Active && expires_at.is_none_or(|expiry| now < expiry)
    }
}

impl Client {
    /// Whether the client itself may act at `now`; its partner and its secret are another matter.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status.is_live(self.expires_at, now)
    }

    /// The partner it belongs to, if it is a partner's.
    #[must_use]
    pub const fn partner_id(&self) -> Option<&PartnerId> {
        match &self.role {
            ClientRole::Partner { partner_id, .. } => Some(partner_id),
            ClientRole::ResourceServer { .. } => None,
        }
    }

    /// The client, if it can still be changed.
    ///
    /// # Errors
    /// When it is revoked.
    pub fn changeable(self) -> Result<Self, Refusal> {
        match self.status {
            ClientStatus::Active | ClientStatus::Suspended => Ok(self),
            ClientStatus::Revoked => Err(Refusal::State("the client is revoked, and that is final")),
        }
    }

    /// The client, suspended.
    ///
    /// # Errors
    /// When it is suspended already, or revoked.
    pub fn suspended(self) -> Result<Self, Refusal> {
        match self.status {
            ClientStatus::Active => Ok(Self {
                status: ClientStatus::Suspended,
                ..self
            }),
            ClientStatus::Suspended => Err(Refusal::State("the client is suspended already")),
            ClientStatus::Revoked => self.changeable(),
        }
    }

    /// The client, active again.
    ///
    /// # Errors
    /// When it is active already, or revoked.
    pub fn reinstated(self) -> Result<Self, Refusal> {
        match self.status {
            ClientStatus::Suspended => Ok(Self {
                status: ClientStatus::Active,
                ..self
            }),
            ClientStatus::Active => Err(Refusal::State("the client is active already")),
            ClientStatus::Revoked => self.changeable(),
        }
    }

    /// The client, revoked for ever.
    ///
    /// # Errors
    /// When it is revoked already.
    pub fn revoked(self) -> Result<Self, Refusal> {
        Ok(Self {
            status: ClientStatus::Revoked,
            ..self.changeable()?
        })
    }
}
