//! Why the authority says no. What the caller reads of it is decided at the door; what stands here is for the operator.

use std::sync::Arc;

use thiserror::Error;

use crate::domain::{Invalid, TokenRefusal};
use crate::registry::{Exceeded, QuotaError, RegisteredClient};
use crate::store::{CommitError, StoreError};

/// Why the authority says no.
#[derive(Debug, Error)]
pub enum AuthorityError {
    /// The client was not authenticated (RFC 6749 §5.2 `invalid_client`).
    #[error("client authentication failed: {0}")]
    InvalidClient(#[from] Rejection),
    /// A limit is used up for now.
    #[error(transparent)]
    Limited(#[from] Exceeded),
    /// No `token` was sent to an endpoint that is about one.
    #[error("token is missing")]
    MissingToken,
    /// No `grant_type` was sent.
    #[error("grant_type is missing")]
    MissingGrantType,
    /// The `grant_type` is not one of ours.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// The client may not do this.
    #[error("the client may not do this: {0}")]
    UnauthorizedClient(&'static str),
    /// The scope is malformed, unknown, or more than the client may have.
    #[error("the scope {0}")]
    InvalidScope(Invalid),
    /// A resource is malformed, unknown, or not for this client (RFC 8707 §2).
    #[error("the resource {0}")]
    InvalidTarget(Invalid),
    /// The token to revoke is another client's (RFC 7009 §2.1).
    #[error("the token was issued to another client")]
    ForeignToken,
    /// There is no key to sign with.
    #[error("there is no active signing key")]
    NoSigningKey,
    /// The store does not answer, so nothing can be said.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl AuthorityError {
    /// Under which refusal of a client that exists it is counted.
    pub(super) const fn counted_as(&self) -> TokenRefusal {
        match self {
            Self::InvalidClient(rejection) => rejection.counted_as(),
            Self::Limited(_) => TokenRefusal::Limited,
            Self::MissingToken | Self::MissingGrantType => TokenRefusal::InvalidRequest,
            Self::UnsupportedGrantType => TokenRefusal::UnsupportedGrantType,
            Self::UnauthorizedClient(_) | Self::ForeignToken => TokenRefusal::UnauthorizedClient,
            Self::InvalidScope(_) => TokenRefusal::InvalidScope,
            Self::InvalidTarget(_) => TokenRefusal::InvalidTarget,
            Self::NoSigningKey | Self::Unavailable(_) => TokenRefusal::Unavailable,
        }
    }
}

/// A no of the authority, and to whom it was said.
#[derive(Debug, Error)]
#[error("{why}")]
pub struct Denial {
    /// Why.
    pub why: AuthorityError,
    /// The client, where it has authenticated, or its secret was right. What a stranger calls itself is not known here.
    pub client: Option<Arc<RegisteredClient>>,
}

/// How what was done for a client that has authenticated came out: every no names the client.
pub(super) fn told_to<T>(client: &Arc<RegisteredClient>, outcome: Result<T, AuthorityError>) -> Result<T, Denial> {
    outcome.map_err(|why| Denial {
        why,
        client: Some(Arc::clone(client)),
    })
}

impl From<AuthorityError> for Denial {
    fn from(why: AuthorityError) -> Self {
        Self { why, client: None }
    }
}

impl From<StoreError> for Denial {
    fn from(error: StoreError) -> Self {
        AuthorityError::from(error).into()
    }
}

impl From<QuotaError> for AuthorityError {
    fn from(error: QuotaError) -> Self {
        match error {
            QuotaError::Exceeded(exceeded) => Self::Limited(exceeded),
            QuotaError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<CommitError> for AuthorityError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Store(error) => Self::Unavailable(error),
            CommitError::Refused(refusal) => Self::Unavailable(StoreError::Corrupt(refusal.to_string())),
        }
    }
}

/// Why a client was not authenticated. The caller is told none of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The secret is not one of ours by form.
    #[error("the secret is malformed or damaged")]
    MalformedSecret,
    /// The secret opens something else, such as the other environment.
    #[error("the secret is for something else")]
    WrongKind,
    /// There is no such client here.
    #[error("there is no such client")]
    UnknownClient,
    /// No secret of the client is this one.
    #[error("the secret is wrong")]
    WrongSecret,
    /// The secret was right once, or will be.
    #[error("the secret is outside its window")]
    SecretOutsideWindow,
    /// The client is suspended, revoked or expired, or a partner above it is suspended.
    #[error("the client or its partner is not active")]
    Inactive,
    /// The secret is right, and the client may not come from there. The line names it, since the secret proves who was meant.
    #[error("the secret is right, but this client may not come from this source")]
    WrongSource,
    /// The client is registered for another method.
    #[error("the client is registered for another authentication method")]
    WrongMethod,
    /// A client that is no resource server asked to introspect.
    #[error("the client is not a resource server")]
    NotAResourceServer,
}

impl Rejection {
    /// Under which refusal of a client that exists it is counted.
    pub(super) const fn counted_as(&self) -> TokenRefusal {
        match self {
            Self::MalformedSecret | Self::WrongKind | Self::UnknownClient | Self::WrongSecret => {
                TokenRefusal::WrongSecret
            }
            Self::SecretOutsideWindow => TokenRefusal::SecretOutsideWindow,
            Self::Inactive => TokenRefusal::Inactive,
            Self::WrongMethod => TokenRefusal::WrongMethod,
            Self::WrongSource => TokenRefusal::WrongSource,
            Self::NotAResourceServer => TokenRefusal::UnauthorizedClient,
        }
    }
}
