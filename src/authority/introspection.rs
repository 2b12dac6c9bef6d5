//! Token introspection (RFC 7662): what a token is worth now, to the resource server that asks.
//!
//! The answer goes by what is registered now, not by what the token says: a revoked token, client, secret or partner makes it
//! inactive at once, and a narrowed client shows the narrowed scope.

use std::borrow::Cow;

use super::authentication::{AuthenticatedClient, PresentedCredentials};
use super::claims::IssuedToken;
use super::error::{AuthorityError, Denial, Rejection, told_to};
use super::{Authority, Caller};
use crate::domain::{ResourceIndicator, Scope, Timestamp};
use crate::jose::JsonObject;
use crate::registry::{RegisteredClient, View};

/// The answer of the introspection endpoint (RFC 7662 §2.2).
#[derive(Debug)]
pub enum Introspection {
    /// The token is good, for this caller, now.
    Active(ActiveToken),
    /// It is not, and no reason is given.
    Inactive,
}

/// What an active token says, as a JSON object (RFC 7662 §2.2). `sub` is always there: some resource servers demand it.
#[derive(Debug)]
pub struct ActiveToken(Vec<u8>);

impl ActiveToken {
    /// The object.
    #[must_use]
    pub fn into_json(self) -> Vec<u8> {
        self.0
    }
}

/// What is left of a token's scope.
enum Left {
    /// All of it.
    Whole,
    /// A part, which is not empty.
    Part(Scope),
}

/// Room for what an ordinary token says, in bytes.
const ORDINARY_ANSWER: usize = 640;

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
        told_to(asking.shared(), outcome)
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
            Some(left) => Ok(Introspection::Active(self.active(&token, &left))),
            None => Ok(Introspection::Inactive),
        }
    }

    /// What is left of the token's scope, at this audience, now; `None` when the token is worth nothing there.
    async fn scope_now(
        &self,
        view: View<'_>,
        token: &IssuedToken,
        audience: &ResourceIndicator,
    ) -> Result<Option<Left>, AuthorityError> {
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
        Ok(entitled.and_then(|entitlement| left_of(&token.scope, &entitlement.scope)))
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

    fn active(&self, token: &IssuedToken, left: &Left) -> ActiveToken {
        let (scope, client_id) = (left.text(token), token.client_id.as_str());
        let json = JsonObject::with_capacity(ORDINARY_ANSWER)
            .affirmed("active")
            .text("token_type", "Bearer")
            .text("scope", &scope)
            .text("client_id", client_id)
            .text("sub", client_id)
            .text("iss", self.issuer.identifier())
            .texts("aud", token.audiences.iter().map(ResourceIndicator::as_str))
            .number("exp", token.expires_at.seconds())
            .number("iat", token.issued_at.seconds())
            .number("nbf", token.not_before.seconds())
            .text("jti", token.jti.as_str())
            .text("partnerId", token.partner_id.as_str())
            .text("environment", self.environment().as_str());
        ActiveToken(json.finish())
    }
}

/// What of a token's `scope` its client may still have at an audience; `None` for nothing.
fn left_of(scope: &Scope, entitled: &Scope) -> Option<Left> {
    if !scope.is_empty() && scope.is_subset(entitled) {
        return Some(Left::Whole);
    }
    let part = entitled.intersection(scope);
    (!part.is_empty()).then_some(Left::Part(part))
}

impl Left {
    /// As text, of a token whose scope it was.
    fn text<'a>(&self, token: &'a IssuedToken) -> Cow<'a, str> {
        match self {
            Self::Whole => Cow::Borrowed(&token.scope_text),
            Self::Part(scope) => Cow::Owned(scope.to_string()),
        }
    }
}
