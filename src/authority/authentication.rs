//! Client authentication (RFC 6749 §2.3): from presented credentials to an authenticated client. Made here and nowhere else.
//!
//! A stranger, a wrong secret and a client that may not act do the same work and get the same answer: one digest is computed and
//! compared whatever is found. Only a secret that is not one of ours by form is refused before any look-up, which tells its
//! sender nothing but what the checksum tells anyone.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::error::{AuthorityError, Rejection};
use super::{Authority, Caller};
use crate::domain::{AuthMethod, ClientId, Environment, Secret, SecretDigest, SecretId, SecretKind, Timestamp};
use crate::registry::{Attempt, FailureKey, RegisteredClient, View};

/// How credentials were presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PresentedMethod {
    /// In the `Authorization` header, by HTTP Basic.
    ClientSecretBasic,
    /// In the body.
    ClientSecretPost,
}

impl PresentedMethod {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::ClientSecretBasic, Self::ClientSecretPost];

    /// The registered method that is presented in this way and no other, as it stands in the metadata (RFC 8414 §2).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => AuthMethod::ClientSecretBasic.as_str(),
            Self::ClientSecretPost => AuthMethod::ClientSecretPost.as_str(),
        }
    }
}

/// A client id and a secret as somebody presented them, unchecked.
pub struct PresentedCredentials {
    client_id: String,
    secret: Zeroizing<String>,
    method: PresentedMethod,
}

impl PresentedCredentials {
    /// As presented.
    #[must_use]
    pub const fn new(client_id: String, secret: Zeroizing<String>, method: PresentedMethod) -> Self {
        Self {
            client_id,
            secret,
            method,
        }
    }

    /// How they were presented.
    #[must_use]
    pub const fn method(&self) -> PresentedMethod {
        self.method
    }
}

impl fmt::Debug for PresentedCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedCredentials")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// Proof that a client of this environment authenticated, and with which secret.
pub struct AuthenticatedClient {
    registered: Arc<RegisteredClient>,
    secret_id: SecretId,
}

impl AuthenticatedClient {
    /// The client.
    #[must_use]
    pub fn registered(&self) -> &RegisteredClient {
        &self.registered
    }

    /// When the client or the secret it authenticated with ends by itself, whichever is sooner. No token of it lives longer.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        let secret = self
            .registered
            .secrets
            .iter()
            .find(|secret| secret.secret_id == self.secret_id);
        let ends = [
            self.registered.client.expires_at,
            secret.and_then(|secret| secret.expires_at),
        ];
        ends.into_iter().flatten().min()
    }

    /// The secret it authenticated with.
    #[must_use]
    pub const fn secret_id(&self) -> &SecretId {
        &self.secret_id
    }
}

impl Authority {
    /// Authenticates the client, within the budget of failures of its id and source.
    pub(super) async fn authenticate(
        &self,
        view: View<'_>,
        presented: PresentedCredentials,
        caller: &Caller,
    ) -> Result<AuthenticatedClient, AuthorityError> {
        let failures = self.registry.failures();
        let key = FailureKey::new(Attempt::Client(&presented.client_id), caller.source);
        if let Some(wait) = failures.shut_for(&key) {
            return Err(AuthorityError::Limited(wait));
        }
        let digest = self.pepper.digest(&presented.secret);
        let outcome = match secret_form(&presented.secret, self.environment()) {
            Ok(()) => {
                let registered = match presented.client_id.parse::<ClientId>() {
                    Ok(client_id) => view.client(&client_id).await?,
                    Err(_) => None,
                };
                let here = registered.filter(|found| found.client.environment == self.environment());
                prove(here, &digest, (presented.method, self.clock.now()))
            }
            Err(rejection) => Err(rejection),
        };
        if outcome.is_err() {
            failures.count(key);
        }
        Ok(outcome?)
    }
}

/// Whether the secret is one of ours, undamaged, for a client of `environment`.
fn secret_form(secret: &str, environment: Environment) -> Result<(), Rejection> {
    let secret = Secret::recognise(secret).ok_or(Rejection::MalformedSecret)?;
    if secret.kind() == SecretKind::Client(environment) {
        Ok(())
    } else {
        Err(Rejection::WrongKind)
    }
}

fn prove(
    registered: Option<Arc<RegisteredClient>>,
    digest: &SecretDigest,
    (method, now): (PresentedMethod, Timestamp),
) -> Result<AuthenticatedClient, Rejection> {
    let Some(registered) = registered else {
        // The comparison a known client would have cost.
        let _ = digest.matches(&SecretDigest::from_bytes([0; 32]));
        return Err(Rejection::UnknownClient);
    };
    let presented = registered.secrets.iter().find(|secret| secret.digest.matches(digest));
    let secret = presented.ok_or(Rejection::WrongSecret)?;
    if !secret.is_live(now) {
        return Err(Rejection::SecretOutsideWindow);
    }
    if !registered.is_live(now) {
        return Err(Rejection::Inactive);
    }
    if !accepts(registered.client.token_endpoint_auth_method, method) {
        return Err(Rejection::WrongMethod);
    }
    let secret_id = secret.secret_id.clone();
    Ok(AuthenticatedClient { registered, secret_id })
}

const fn accepts(registered: AuthMethod, presented: PresentedMethod) -> bool {
    matches!(
        (registered, presented),
        (AuthMethod::Any, _)
            | (AuthMethod::ClientSecretBasic, PresentedMethod::ClientSecretBasic)
            | (AuthMethod::ClientSecretPost, PresentedMethod::ClientSecretPost)
    )
}
