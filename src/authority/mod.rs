//! Who gets a token, what it says, and whether it still means it.
//!
//! The chain of proofs: [`PresentedCredentials`] → [`AuthenticatedClient`] → [`Grant`] → token. Each is made in one file only and is
//! taken by value by the next; the issuer accepts nothing but a [`Grant`].

mod authentication;
mod claims;
mod client_credentials;
mod coalescing;
mod error;
mod introspection;
mod issuer;
mod revocation;

use std::net::IpAddr;
use std::sync::Arc;

pub use authentication::{AuthenticatedClient, PresentedCredentials, PresentedMethod};
pub use client_credentials::{Grant, TokenRequest};
pub use error::{AuthorityError, Denial, Rejection};
pub use introspection::{ActiveToken, Introspection};
pub use issuer::{AccessTokenResponse, Issuer};

use crate::ambient::{Clock, Entropy};
use crate::domain::{Environment, GrantType, Pepper, RequestId, Seconds, Timestamp, TokenLifetime};
use crate::jose::Fingerprints;
use crate::registry::{Happening, Registry, Remainder, View};
use claims::VerifiedTokens;
use coalescing::Coalescing;
use error::told_to;

/// What an authority is made with.
pub struct AuthorityParts {
    /// What is remembered, and how it is known to be true.
    pub registry: Arc<Registry>,
    /// The key of the digests of secrets.
    pub pepper: Arc<Pepper>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// By what tokens are known that were seen before.
    pub fingerprints: Fingerprints,
    /// What is remembered of tokens.
    pub memory: TokenMemory,
}

/// How much is remembered of tokens, in each environment.
#[derive(Clone, Copy, Debug)]
pub struct TokenMemory {
    /// Of how many it is remembered that their signature is right.
    pub verified: usize,
    /// Until which age a token is handed again to who asks for the same; none: never.
    pub coalesce: Option<Seconds>,
}

/// The authorization server of one environment: its issuer, its keys, its clients and no others.
pub struct Authority {
    registry: Arc<Registry>,
    pepper: Arc<Pepper>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    issuer: Issuer,
    fingerprints: Fingerprints,
    verified: VerifiedTokens,
    coalescing: Option<Coalescing>,
}

/// From where and under which name a request came.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The address of the peer, or the one a trusted proxy gives for it.
    pub source: IpAddr,
    /// The name of the request.
    pub request_id: RequestId,
}

/// A token, and what the client may still obtain.
#[derive(Debug)]
pub struct Issued {
    /// The answer that carries the token.
    pub response: AccessTokenResponse,
    /// What is left of each limit of the client, as far as this replica knows it; empty where there is none.
    pub left: Vec<Remainder>,
}

impl Authority {
    /// The authority of `environment`, whose issuer identifier is `{public_url}/{environment}`.
    #[must_use]
    pub fn new(parts: AuthorityParts, environment: Environment, public_url: &str, lifetime: TokenLifetime) -> Self {
        Self {
            fingerprints: parts.fingerprints,
            registry: parts.registry,
            pepper: parts.pepper,
            clock: parts.clock,
            entropy: parts.entropy,
            issuer: Issuer::new(environment, public_url, lifetime),
            verified: VerifiedTokens::new(parts.memory.verified),
            coalescing: parts.memory.coalesce.map(Coalescing::new),
        }
    }

    /// Where it works.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.issuer.environment()
    }

    /// Its issuer.
    #[must_use]
    pub const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// What it remembers.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The token endpoint (RFC 6749 §3.2). The order of the checks is part of the contract: what authenticates the client comes
    /// before what it asks for, so that a stranger learns nothing of what a client may ask.
    ///
    /// # Errors
    /// With the first check that fails; see [`AuthorityError`].
    pub async fn token(
        &self,
        presented: PresentedCredentials,
        request: TokenRequest<'_>,
        caller: &Caller,
    ) -> Result<Issued, Denial> {
        let now = self.clock.now();
        let view = self.registry.fresh().await?;
        let client = self.authenticate(view, presented, caller).await?;
        let (registered, place) = (Arc::clone(client.shared()), client.place());
        let outcome = self.issue(client, &request, (view, now)).await;
        let happening = match &outcome {
            Ok(issued) => Happening::Issued {
                scope: &issued.response.scope,
                secret_id: &registered.secrets[place].secret_id,
                source: caller.source,
            },
            Err(error) => Happening::Refused(error.counted_as()),
        };
        self.registry.put_down(&registered, now, happening);
        told_to(&registered, outcome)
    }

    /// What an authenticated client is given.
    async fn issue(
        &self,
        client: AuthenticatedClient,
        request: &TokenRequest<'_>,
        (view, now): (View<'_>, Timestamp),
    ) -> Result<Issued, AuthorityError> {
        let grant = match request.granting()? {
            GrantType::ClientCredentials => client_credentials::grant(client, request)?,
        };
        let keyring = view.keyring(self.environment()).await?;
        let key = keyring.signing().ok_or(AuthorityError::NoSigningKey)?;
        let registered = Arc::clone(grant.client().shared());
        let place = self.coalescing.as_ref().map(|tokens| tokens.place(&grant, &keyring));
        if let Some(token) = place.as_ref().and_then(|place| self.young(place, view)) {
            // A rate counts what is handed out, a quota what is signed: one that is handed again lies between the two.
            let mut left = registered.rates.take()?;
            left.extend(registered.quotas.left(now));
            let response = self.again(&token, &grant);
            return Ok(Issued { response, left });
        }
        // What is refused takes nothing: dropped, the spending goes back.
        let spending = self.registry.spend(&registered, now).await?;
        let mut left = registered.rates.take()?;
        let issued = self.issuer.issue(grant, key, (now, &*self.entropy));
        let response = issued.inspect_err(|_| registered.rates.put_back())?;
        spending.keep();
        left.extend(registered.quotas.left(now));
        if let Some(place) = place {
            place.keep(&response, now);
        }
        Ok(Issued { response, left })
    }
}
