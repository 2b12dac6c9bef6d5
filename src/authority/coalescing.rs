//! Coalescing: where the operator chose it, a client that asks for the same again gets its still-young token again.
//!
//! All that is checked before a token is signed has been checked before one is handed again: this begins where signing would. The token
//! of a request is found by its secret, its scope and its audiences, under the keys that signed it, and only while nothing that decides
//! about the client has changed since. What is kept is a bearer token: it is wiped when it goes, and nothing prints it.

use std::sync::{Arc, Weak};

use zeroize::Zeroizing;

use super::Authority;
use super::client_credentials::Grant;
use super::issuer::AccessTokenResponse;
use crate::domain::{ResourceIndicator, Seconds, Timestamp, TokenId, sha256};
use crate::registry::{Keyring, RegisteredClient, Shelf, UnderKeyring, View};

/// The most tokens kept, in each environment. Ordinary ones take about 1 kB each, the largest 8 kB.
const MOST_YOUNG_TOKENS: usize = 10_000;

/// The young tokens of one environment.
pub(super) struct Coalescing {
    youth: Seconds,
    tokens: UnderKeyring<RequestDigest, Arc<YoungToken>>,
}

/// The SHA-256 of what is granted, and with which secret.
type RequestDigest = [u8; 32];

/// A token that may be handed again.
pub(super) struct YoungToken {
    access_token: Zeroizing<String>,
    jti: TokenId,
    issued_at: Timestamp,
    expires_at: Timestamp,
    /// All that decided about the client when this was signed. Whatever changes of it, the registry makes another object, and the
    /// address of this one stays taken as long as it is pointed to here.
    client: Weak<RegisteredClient>,
}

impl YoungToken {
    /// Whether it is younger than `youth`, and has at least half of its time before it.
    fn is_young(&self, now: Timestamp, youth: Seconds) -> bool {
        let (age, left) = (now.since(self.issued_at), self.expires_at.since(now));
        self.issued_at <= now && age < youth && left >= age
    }
}

/// The place of one request's token.
pub(super) struct Place {
    youth: Seconds,
    digest: RequestDigest,
    tokens: Arc<Shelf<RequestDigest, Arc<YoungToken>>>,
    client: Weak<RegisteredClient>,
}

impl Coalescing {
    /// Hands a token again until it is as old as `youth`.
    pub(super) fn new(youth: Seconds) -> Self {
        Self {
            youth,
            tokens: UnderKeyring::new(MOST_YOUNG_TOKENS),
        }
    }

    /// Where the token for `grant` is, or will be.
    pub(super) fn place(&self, grant: &Grant, keyring: &Arc<Keyring>) -> Place {
        // No part of it holds a line break, and no audience a space, so no two requests are written alike.
        let granted = grant.granted();
        let audiences: Vec<_> = granted.audiences().iter().map(ResourceIndicator::as_str).collect();
        let asked = [grant.secret_id().as_str(), granted.scope_text(), &audiences.join(" ")].join("\n");
        Place {
            youth: self.youth,
            digest: sha256(&[asked.as_bytes()]),
            tokens: self.tokens.shelf(keyring),
            client: Arc::downgrade(grant.client().shared()),
        }
    }
}

impl Place {
    fn young(&self, now: Timestamp) -> Option<Arc<YoungToken>> {
        let token = self.tokens.get(&self.digest)?;
        let unchanged = Weak::ptr_eq(&token.client, &self.client);
        (unchanged && token.is_young(now, self.youth)).then_some(token)
    }

    /// Keeps what was signed at `now` for whoever asks for the same next.
    pub(super) fn keep(self, signed: &AccessTokenResponse, now: Timestamp) {
        let token = YoungToken {
            access_token: Zeroizing::new(signed.access_token.clone()),
            jti: signed.jti.clone(),
            issued_at: now,
            expires_at: now + signed.expires_in,
            client: self.client,
        };
        self.tokens.put(self.digest, Arc::new(token));
    }
}

impl Authority {
    /// The token that was signed for the same request a while ago, if it is young and its client has not revoked it. Where memory cannot
    /// tell, another is signed: that asks nothing of the store.
    pub(super) fn young(&self, place: &Place, view: View<'_>) -> Option<Arc<YoungToken>> {
        let token = place.young(self.clock.now())?;
        view.is_known_unrevoked(&token.jti, token.expires_at).then_some(token)
    }

    /// Hands `token` again for the same `grant`.
    pub(super) fn again(&self, token: &YoungToken, grant: &Grant) -> AccessTokenResponse {
        self.registry.metrics().count_coalesced();
        AccessTokenResponse {
            access_token: token.access_token.as_str().to_owned(),
            token_type: "Bearer",
            expires_in: token.expires_at.since(self.clock.now()),
            scope: grant.granted().scope_text().to_owned(),
            jti: token.jti.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::SecretId;

    #[test]
    fn a_token_is_young_until_its_age_or_half_of_its_time() {
        let at = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
        let token = YoungToken {
            access_token: Zeroizing::new("eyJ".to_owned()),
            jti: TokenId::mint(&SecretId::mint(&SystemEntropy::new()), &SystemEntropy::new()),
            issued_at: at(0),
            expires_at: at(60),
            client: Weak::new(),
        };
        let young = |seconds, youth| token.is_young(at(seconds), Seconds(youth));
        assert!(young(0, 20) && young(19, 20) && !young(20, 20));
        assert!(young(30, 40) && !young(31, 40));
        assert!(!young(-1, 40), "a clock that went back before it was signed");
        assert!(!young(60, 300) && !young(61, 300));
    }
}
