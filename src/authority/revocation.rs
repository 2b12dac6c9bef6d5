//! Token revocation (RFC 7009): a client ends one of its own tokens before its time.

use super::authentication::{AuthenticatedClient, PresentedCredentials};
use super::error::{AuthorityError, Denial, told_to};
use super::{Authority, Caller};
use crate::domain::{Actor, Attribution, Mutation, RevokedToken};
use crate::registry::View;
use crate::store::{CommitError, Records};

impl Authority {
    /// The revocation endpoint (RFC 7009 §2). Returns only when the store has committed, or when there is nothing to revoke: an
    /// unknown, foreign-issuer, malformed, expired or already revoked token is no error (§2.2).
    ///
    /// # Errors
    /// When the caller is not authenticated, names no token or has revoked too many, the token is another client's (§2.1; it is then not revoked), or the
    /// store does not answer.
    pub async fn revoke(
        &self,
        presented: PresentedCredentials,
        token: Option<&str>,
        caller: &Caller,
    ) -> Result<(), Denial> {
        let view = self.registry.fresh().await?;
        let client = self.authenticate(view, presented, caller).await?;
        self.note_use(&client, caller);
        let outcome = self.end(token, (&client, caller), view).await;
        told_to(client.shared(), outcome)
    }

    /// Ends a token of an authenticated client.
    async fn end(
        &self,
        token: Option<&str>,
        (client, caller): (&AuthenticatedClient, &Caller),
        view: View<'_>,
    ) -> Result<(), AuthorityError> {
        let now = self.clock.now();
        let token = token.ok_or(AuthorityError::MissingToken)?;
        let keyring = view.keyring(self.environment()).await?;
        let Some(token) = self.read_token(token, &keyring) else {
            return Ok(());
        };
        if token.client_id != client.registered().client.client_id {
            return Err(AuthorityError::ForeignToken);
        }
        if token.expires_at <= now || view.is_known_revoked(&token.jti, token.expires_at) {
            return Ok(());
        }
        self.registry.take_revocation(self.environment(), &token.client_id)?;
        let attribution = Attribution {
            actor: Actor::Client(token.client_id.clone()),
            at: self.clock.now_milliseconds(),
            request_id: Some(caller.request_id.clone()),
        };
        let revoked = RevokedToken {
            jti: token.jti.clone(),
            client_id: token.client_id.clone(),
            partner_id: token.partner_id.clone(),
            environment: self.environment(),
            expires_at: token.expires_at,
        };
        let decide = move |records: &mut dyn Records| -> Result<_, CommitError> {
            let known = records.revoked_token(&revoked.jti)?.is_some();
            Ok(((!known).then(|| Mutation::TokenRevoked(revoked.clone()).into()), ()))
        };
        Ok(self.registry.commit(attribution, decide).await?)
    }
}
