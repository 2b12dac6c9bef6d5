//! Token introspection (RFC 7662): what a token is worth now, to the resource server that asks.
//!
//! The answer goes by what is registered now, not by what the token says: a revoked token, client, secret or partner makes it
//! inactive at once, and a narrowed client shows the narrowed scope.

use serde::Serialize;

use super::authentication::{AuthenticatedClient, PresentedCredentials};
use super::claims::IssuedToken;
use super::error::{AuthorityError, Denial, Rejection};
use super::{Authority, Caller};
use crate::domain::{ResourceIndicator, Scope, Timestamp};
use crate::registry::{RegisteredClient, View};

/// The answer of the introspection endpoint (RFC 7662 §2.2).
#[derive(Debug)]
pub enum Introspection {
    /// The token is good, for this caller, now.
    Active(Box<ActiveToken>),
    /// It is not, and no reason is given.
    Inactive,
}

/// What an active token says. `sub` is always there: some resource servers demand it.
#[derive(Debug, Serialize)]
pub struct ActiveToken {
    active: bool,
    token_type: &'static str,
    scope: String,
    client_id: String,
    sub: String,
    iss: String,
    aud: Vec<ResourceIndicator>,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    #[serde(rename = "partnerId")]
    partner_id: String,
    environment: &'static str,
}

impl Authority {
    /// The introspection endpoint (RFC 7662 §2). Only a resource server may ask, and it sees only tokens of its own audience.
    ///
    /// # Errors
    /// When the caller is not authenticated or not a resource server, names no token, or the store does not answer. Never because
    /// of the token.
    pub async fn introspect(
        &self,
        presented: PresentedCredentials,
        token: Option<&str>,
        caller: &Caller,
    ) -> Result<Introspection, Denial> {
        let view = self.registry.fresh().await?;
        let asking = self.authenticate(view, presented, caller).await?;
        let outcome = self.look_into(token, (&asking, caller), view).await;
        outcome.map_err(|why| Denial::to(asking.shared(), why))
    }

    /// What a token is worth to an authenticated client.
    async fn look_into(
        &self,
        token: Option<&str>,
        (asking, caller): (&AuthenticatedClient, &Caller),
        view: View<'_>,
    ) -> Result<Introspection, AuthorityError> {
        let audience = asking
            .registered()
            .audience
            .as_ref()
            .ok_or(Rejection::NotAResourceServer)?;
        self.note_use(asking, caller);
        let token = token.ok_or(AuthorityError::MissingToken)?;
        let keyring = view.keyring(self.environment()).await?;
        let Some(token) = self.read_token(token, &keyring) else {
            return Ok(Introspection::Inactive);
        };
        match self.scope_now(view, &token, audience).await? {
            Some(scope) => Ok(Introspection::Active(Box::new(self.active(&token, &scope)))),
            None => Ok(Introspection::Inactive),
        }
    }

    /// What is left of the token's scope, at this audience, now; `None` when the token is worth nothing there.
    async fn scope_now(
        &self,
        view: View<'_>,
        token: &IssuedToken,
        audience: &ResourceIndicator,
    ) -> Result<Option<Scope>, AuthorityError> {
        if !token.is_current(self.clock.now()) || !token.audiences.contains(audience) {
            return Ok(None);
        }
        let Some(holder) = view.client(&token.client_id).await? else {
            return Ok(None);
        };
        if view.is_revoked(&token.jti, token.expires_at).await? {
            return Ok(None);
        }
        // The last wait is over: what ended during it is not confirmed.
        let now = self.clock.now();
        if !token.is_current(now) || !self.still_holds(&holder, token, now) {
            return Ok(None);
        }
        let entitled = holder
            .entitlements
            .each()
            .iter()
            .find(|entitlement| entitlement.audience == *audience);
        let scope = entitled.map(|entitlement| entitlement.scope.intersection(&token.scope));
        Ok(scope.filter(|scope| !scope.is_empty()))
    }

    /// Whether the client, the partners above it and the secret that obtained the token may all still act.
    fn still_holds(&self, holder: &RegisteredClient, token: &IssuedToken, now: Timestamp) -> bool {
        let its_secret = holder
            .secrets
            .iter()
            .find(|secret| secret.secret_id.as_str() == token.jti.secret_id());
        holder.client.environment == self.environment()
            && holder.partner_id() == Some(&token.partner_id)
            && holder.is_live(now)
            && its_secret.is_some_and(|secret| secret.window.is_live(now))
    }

    fn active(&self, token: &IssuedToken, scope: &Scope) -> ActiveToken {
        ActiveToken {
            active: true,
            token_type: "Bearer",
            scope: scope.to_string(),
            client_id: token.client_id.to_string(),
            sub: token.client_id.to_string(),
            iss: self.issuer.identifier().to_owned(),
            aud: token.audiences.clone(),
            exp: token.expires_at.seconds(),
            iat: token.issued_at.seconds(),
            nbf: token.not_before.seconds(),
            jti: token.jti.to_string(),
            partner_id: token.partner_id.to_string(),
            environment: self.environment().as_str(),
        }
    }
}
