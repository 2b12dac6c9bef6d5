//! Client authentication (RFC 6749 §2.3): from presented credentials to an authenticated client. Made here and nowhere else.
//!
//! A stranger, a wrong secret and a client that may not act get the same answer, for the same work: one digest is computed and compared
//! whatever is found. Where this replica remembers nothing under an id, a client's or nobody's, the store is asked, and that shows in the
//! time. A secret that is not one of ours by form is refused before any look-up, which tells its sender nothing but what the checksum
//! tells anyone.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::error::{AuthorityError, Denial, Rejection};
use super::{Authority, Caller};
use crate::domain::{
    AuthMethod, ClientId, Environment, Limit, SecretDigest, SecretId, SecretKind, Timestamp, TokenRefusal,
};
use crate::registry::{Attempt, Exceeded, FailureKey, Happening, RegisteredClient, Remembered, View};

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
    /// Where the secret stands among the client's.
    place: usize,
}

impl AuthenticatedClient {
    /// The client.
    #[must_use]
    pub fn registered(&self) -> &RegisteredClient {
        &self.registered
    }

    /// The same, for who keeps it beyond the proof.
    pub(super) const fn shared(&self) -> &Arc<RegisteredClient> {
        &self.registered
    }

    /// When the client or the secret it authenticated with ends by itself, whichever is sooner. No token of it lives longer.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        let secret = &self.registered.secrets[self.place];
        let ends = [self.registered.client.expires_at, secret.window.expires_at];
        ends.into_iter().flatten().min()
    }

    /// The id of the secret it authenticated with.
    #[must_use]
    pub fn secret_id(&self) -> &SecretId {
        &self.registered.secrets[self.place].secret_id
    }

    /// Where that secret stands among the client's.
    pub(super) const fn place(&self) -> usize {
        self.place
    }
}

impl Authority {
    /// Authenticates the client, within the budgets of failures of its id and source and of its source alone. A right secret from
    /// a source the client may not come from is a failure like any other, and counts like one: else the budget would tell that it
    /// is right. The operator is told whose it is.
    pub(super) async fn authenticate(
        &self,
        view: View<'_>,
        presented: PresentedCredentials,
        caller: &Caller,
    ) -> Result<AuthenticatedClient, Denial> {
        let failures = self.registry.failures();
        let key = || FailureKey::new(Attempt::Client(&presented.client_id), caller.source);
        if failures.any_shut()
            && let Some(wait) = failures.shut_for(&key())
        {
            self.count_shut_out(view, &presented);
            return Err(shut_out(Limit::Failures, wait).into());
        }
        let digest = self.pepper.digest(&presented.secret);
        let outcome = match secret_form(&presented.secret, self.environment()) {
            Ok(()) => {
                let registered = match presented.client_id.parse::<ClientId>() {
                    Ok(client_id) => self.look_for(view, &client_id, (&key, caller)).await?,
                    Err(_) => None,
                };
                let here = registered.filter(|found| found.client.environment == self.environment());
                let now = self.clock.now();
                let proved = prove(here.as_ref(), &digest, (&presented, caller, now));
                if let (Some(client), Err(rejection)) = (&here, &proved) {
                    let refused = Happening::Refused(rejection.counted_as());
                    self.registry.put_down(client, now, refused);
                }
                proved.map_err(|rejection| (rejection, here))
            }
            Err(rejection) => Err((rejection, None)),
        };
        outcome.map_err(|(rejection, client)| Denial {
            client: client.filter(|_| rejection == Rejection::WrongSource),
            why: self.count_failure(key(), rejection, caller),
        })
    }

    /// Counts a request that was not looked at, where that costs no more than a glance: whoever is shut out was looked at before.
    fn count_shut_out(&self, view: View<'_>, presented: &PresentedCredentials) {
        let client_id = presented.client_id.parse().ok();
        let remembered = client_id.map(|client_id| view.recall(&client_id));
        if let Some(Remembered::Known(client)) = remembered
            && client.client.environment == self.environment()
        {
            let refused = Happening::Refused(TokenRefusal::Limited);
            self.registry.put_down(&client, self.clock.now(), refused);
        }
    }

    /// Notes that the secret `client` authenticated with was used for something else than a token.
    pub(super) fn note_use(&self, client: &AuthenticatedClient, caller: &Caller) {
        let used = Happening::Used {
            secret_id: client.secret_id(),
            source: caller.source,
        };
        self.registry.put_down(&client.registered, self.clock.now(), used);
    }

    /// The client, as far as its source may look. Whoever has tried too many ids is served from memory alone, so that a flood of
    /// made-up ids does not reach the store, and a client behind the same address goes on. What was not looked for counts as a
    /// failure: nobody can tell whether it would have been one, and the budgets must not tell what is remembered.
    async fn look_for(
        &self,
        view: View<'_>,
        client_id: &ClientId,
        (pair, caller): (impl Fn() -> FailureKey, &Caller),
    ) -> Result<Option<Arc<RegisteredClient>>, AuthorityError> {
        match view.recall(client_id) {
            Remembered::Known(client) => Ok(Some(client)),
            Remembered::Stranger => Ok(None),
            Remembered::Forgotten => {
                if let Some(wait) = self.crowded(caller) {
                    self.count(pair(), caller);
                    return Err(shut_out(Limit::UnknownIds, wait));
                }
                Ok(view.client(client_id).await?)
            }
        }
    }

    /// How long the source must wait before it may try more ids.
    fn crowded(&self, caller: &Caller) -> Option<Duration> {
        let source = FailureKey::new(Attempt::AnyClient, caller.source);
        self.registry.unknown_ids().shut_for(&source)
    }

    /// Counts a failure and says what is answered. An id counts against its source once, whether anybody has it or not, and while
    /// the source is shut out every failure is answered alike: neither the budget nor the answer tells which ids exist.
    fn count_failure(&self, pair: FailureKey, rejection: Rejection, caller: &Caller) -> AuthorityError {
        let crowded = self.crowded(caller);
        self.count(pair, caller);
        crowded.map_or(rejection.into(), |wait| shut_out(Limit::UnknownIds, wait))
    }

    fn count(&self, pair: FailureKey, caller: &Caller) {
        let failures = self.registry.failures();
        if !failures.remember(&pair) {
            let source = FailureKey::new(Attempt::AnyClient, caller.source);
            self.registry.unknown_ids().count(source);
        }
        failures.count(pair);
    }
}

const fn shut_out(limit: Limit, wait: Duration) -> AuthorityError {
    AuthorityError::Limited(Exceeded::of_a_stranger(limit, wait))
}

/// Whether the secret is one of ours, undamaged, for a client of `environment`.
fn secret_form(secret: &str, environment: Environment) -> Result<(), Rejection> {
    let kind = SecretKind::of(secret).ok_or(Rejection::MalformedSecret)?;
    if kind == SecretKind::Client(environment) {
        Ok(())
    } else {
        Err(Rejection::WrongKind)
    }
}

fn prove(
    registered: Option<&Arc<RegisteredClient>>,
    digest: &SecretDigest,
    (presented, caller, now): (&PresentedCredentials, &Caller, Timestamp),
) -> Result<AuthenticatedClient, Rejection> {
    let Some(registered) = registered else {
        // The comparison a known client would have cost.
        let _ = digest.matches(&SecretDigest::from_bytes([0; 32]));
        return Err(Rejection::UnknownClient);
    };
    let mut secrets = registered.secrets.iter();
    let matching = secrets.position(|secret| secret.digest.matches(digest));
    let place = matching.ok_or(Rejection::WrongSecret)?;
    let secret = &registered.secrets[place];
    if !secret.window.is_live(now) {
        return Err(Rejection::SecretOutsideWindow);
    }
    if !registered.is_live(now) {
        return Err(Rejection::Inactive);
    }
    if !registered.client.allowed_sources.allow(caller.source) {
        return Err(Rejection::WrongSource);
    }
    if !accepts(registered.client.token_endpoint_auth_method, presented.method) {
        return Err(Rejection::WrongMethod);
    }
    Ok(AuthenticatedClient {
        registered: Arc::clone(registered),
        place,
    })
}

const fn accepts(registered: AuthMethod, presented: PresentedMethod) -> bool {
    matches!(
        (registered, presented),
        (AuthMethod::Any, _)
            | (AuthMethod::ClientSecretBasic, PresentedMethod::ClientSecretBasic)
            | (AuthMethod::ClientSecretPost, PresentedMethod::ClientSecretPost)
    )
}
