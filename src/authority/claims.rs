//! The claims of an access token (RFC 9068 §2.2), as written and as read back.

use std::sync::Arc;

use serde::Deserialize;

use super::Authority;
use crate::domain::{ClientId, PartnerId, ResourceIndicator, Scope, Timestamp, TokenId};
use crate::jose::{CompactJws, Fingerprint, JsonObject, NumericDate, TokenType, verify};
use crate::registry::{Keyring, UnderKeyring};
use crate::telemetry::CacheResult;

/// The tokens whose signature is known to be right, by the fingerprint of the whole compact JWS. It says nothing else of them:
/// time, revocation and all that may have changed are looked at each time.
pub(super) type VerifiedTokens = UnderKeyring<Fingerprint, Arc<IssuedToken>>;

/// Room for the claims of an ordinary token, in bytes, so that writing them allocates once.
const ORDINARY_CLAIMS: usize = 512;

/// The claims as they are written.
pub(super) struct Claims<'a> {
    pub(super) iss: &'a str,
    pub(super) sub: &'a str,
    pub(super) aud: &'a [ResourceIndicator],
    pub(super) client_id: &'a str,
    pub(super) iat: i64,
    pub(super) nbf: i64,
    pub(super) exp: i64,
    pub(super) jti: &'a str,
    pub(super) scope: &'a str,
    pub(super) partner_id: &'a str,
    pub(super) environment: &'a str,
}

impl Claims<'_> {
    /// The claims set, in the order in which the claims stand in the token. `aud` is a text for one audience, a list for several
    /// (RFC 7519 §4.1.3).
    pub(super) fn to_json(&self) -> Vec<u8> {
        let json = JsonObject::with_capacity(ORDINARY_CLAIMS)
            .text("iss", self.iss)
            .text("sub", self.sub);
        let json = match self.aud {
            [one] => json.text("aud", one.as_str()),
            several => json.texts("aud", several.iter().map(ResourceIndicator::as_str)),
        };
        json.text("client_id", self.client_id)
            .number("iat", self.iat)
            .number("nbf", self.nbf)
            .number("exp", self.exp)
            .text("jti", self.jti)
            .text("scope", self.scope)
            .text("partnerId", self.partner_id)
            .text("environment", self.environment)
            .finish()
    }
}

/// A token of this issuer: the signature is right and every claim is what this issuer writes. Whether it is still good is another
/// question.
pub(super) struct IssuedToken {
    pub(super) client_id: ClientId,
    pub(super) partner_id: PartnerId,
    pub(super) audiences: Vec<ResourceIndicator>,
    pub(super) scope: Scope,
    /// The same as text.
    pub(super) scope_text: String,
    pub(super) jti: TokenId,
    pub(super) issued_at: Timestamp,
    pub(super) not_before: Timestamp,
    pub(super) expires_at: Timestamp,
}

impl IssuedToken {
    /// Whether `now` lies from its `nbf` to before its `exp`.
    pub(super) fn is_current(&self, now: Timestamp) -> bool {
        self.not_before <= now && now < self.expires_at
    }
}

/// The claims as they are read. A claim that is missing or of another type makes the whole unreadable.
#[derive(Deserialize)]
struct ReadClaims {
    iss: String,
    sub: ClientId,
    aud: ReadAudience,
    client_id: ClientId,
    iat: NumericDate,
    nbf: NumericDate,
    exp: NumericDate,
    jti: TokenId,
    scope: String,
    #[serde(rename = "partnerId")]
    partner_id: PartnerId,
    environment: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ReadAudience {
    One(ResourceIndicator),
    Several(Vec<ResourceIndicator>),
}

impl Authority {
    /// Reads a token of this issuer; `None` for anything else, with no reason, since none is ever given (RFC 7662 §2.2). The signature of
    /// a token that was read before under the same keys is not computed again. What the token is worth now is another question.
    pub(super) fn read_token(&self, text: &str, keyring: &Arc<Keyring>) -> Option<Arc<IssuedToken>> {
        // The whole text stands for itself, signature and all, and only texts that verified are kept.
        let fingerprint = self.fingerprints.of(text.as_bytes());
        // Taken before the signature is looked at: what these keys confirm stays with these keys.
        let verified = self.verified.shelf(keyring);
        if let Some(known) = verified.get(&fingerprint) {
            self.registry.metrics().count_verified(CacheResult::Hit);
            return Some(known);
        }
        self.registry.metrics().count_verified(CacheResult::Miss);
        let token = Arc::new(self.verify_token(text, keyring)?);
        verified.put(fingerprint, Arc::clone(&token));
        Some(token)
    }

    fn verify_token(&self, text: &str, keyring: &Keyring) -> Option<IssuedToken> {
        let compact = CompactJws::parse(text, TokenType::AccessToken).ok()?;
        let key = keyring.verifying(compact.key_id())?;
        let claims: ReadClaims = verify(compact, key).ok()?.claims().ok()?;
        let ours = claims.iss == self.issuer.identifier()
            && claims.sub == claims.client_id
            && claims.environment == self.environment().as_str();
        if !ours {
            return None;
        }
        let audiences = match claims.aud {
            ReadAudience::One(audience) => vec![audience],
            ReadAudience::Several(audiences) => audiences,
        };
        let scope: Scope = claims.scope.parse().ok()?;
        Some(IssuedToken {
            client_id: claims.client_id,
            partner_id: claims.partner_id,
            audiences,
            scope_text: scope.to_string(),
            scope,
            jti: claims.jti,
            issued_at: claims.iat.0,
            not_before: claims.nbf.0,
            expires_at: claims.exp.0,
        })
    }
}
