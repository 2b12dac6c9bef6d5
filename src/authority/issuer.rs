//! The issuer: turns a grant into a signed JWT access token (RFC 9068) and the answer that carries it (RFC 6749 §5.1).
//!
//! Nothing here reads a disk or parses a key: that was done before there was a [`Grant`]. All that can still stand in the way is a
//! token that would be too large.

use std::fmt;

use super::claims::Claims;
use super::client_credentials::Grant;
use super::error::AuthorityError;
use crate::ambient::Entropy;
use crate::domain::{Environment, Invalid, Seconds, Timestamp, TokenId, TokenLifetime};
use crate::jose::{JsonObject, SigningKey, TooManyClaims};

/// Room in the answer for all but the token and the scope, in bytes.
const AROUND: usize = 96;

/// The issuer of one environment.
pub struct Issuer {
    environment: Environment,
    identifier: String,
    lifetime: TokenLifetime,
}

/// The answer of the token endpoint (RFC 6749 §5.1).
pub struct AccessTokenResponse {
    /// The JWT.
    pub access_token: String,
    /// `Bearer` (RFC 6750 §4).
    pub token_type: &'static str,
    /// How long it lives, in seconds.
    pub expires_in: Seconds,
    /// What was granted, always said (RFC 6749 §3.3).
    pub scope: String,
    /// The token's `jti`, which stands in the token and not beside it.
    pub jti: TokenId,
}

impl AccessTokenResponse {
    /// The answer in JSON, in the order of RFC 6749 §5.1.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        JsonObject::with_capacity(self.access_token.len() + self.scope.len() + AROUND)
            .text("access_token", &self.access_token)
            .text("token_type", self.token_type)
            .number("expires_in", self.expires_in.get().into())
            .text("scope", &self.scope)
            .finish()
    }
}

impl fmt::Debug for AccessTokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenResponse")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl Issuer {
    /// The issuer `{public_url}/{environment}`, whose tokens live for `lifetime` unless the client has its own.
    #[must_use]
    pub fn new(environment: Environment, public_url: &str, lifetime: TokenLifetime) -> Self {
        Self {
            environment,
            identifier: format!("{public_url}/{environment}"),
            lifetime,
        }
    }

    /// The issuer identifier (RFC 8414 §2), the `iss` of every token.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Where it issues.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// Signs a token for `grant`.
    ///
    /// # Errors
    /// `invalid_scope` when the token would be longer than this server reads back, and so could be neither inspected nor revoked.
    #[expect(clippy::needless_pass_by_value, reason = "a grant is redeemed once")]
    pub fn issue(
        &self,
        grant: Grant,
        key: &SigningKey,
        (now, entropy): (Timestamp, &dyn Entropy),
    ) -> Result<AccessTokenResponse, AuthorityError> {
        let client = &grant.client().registered().client;
        let exp = now + client.token_lifetime.unwrap_or(self.lifetime).seconds();
        let exp = grant.client().ends_at().map_or(exp, |end| exp.min(end));
        let jti = TokenId::mint(grant.secret_id(), entropy);
        let granted = grant.granted();
        let claims = Claims {
            iss: &self.identifier,
            sub: client.client_id.as_str(),
            aud: granted.audiences(),
            client_id: client.client_id.as_str(),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: exp.seconds(),
            jti: jti.as_str(),
            scope: granted.scope_text(),
            partner_id: grant.partner_id().as_str(),
            environment: self.environment.as_str(),
        };
        let access_token = key.sign_compact(&claims.to_json()).map_err(|_: TooManyClaims| {
            AuthorityError::InvalidScope(Invalid::new("is too large for one token: ask for less"))
        })?;
        Ok(AccessTokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in: exp.since(now),
            scope: granted.scope_text().to_owned(),
            jti,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::SecretId;

    #[test]
    fn what_is_written_for_debugging_holds_no_token() {
        let response = AccessTokenResponse {
            access_token: "eyJ.a.token".to_owned(),
            token_type: "Bearer",
            expires_in: Seconds(300),
            scope: "orders:read".to_owned(),
            jti: TokenId::mint(&SecretId::mint(&SystemEntropy::new()), &SystemEntropy::new()),
        };
        let written = format!("{response:?}");
        assert!(written.contains("orders:read") && !written.contains("eyJ"), "{written}");
    }
}
