//! Sessions of the console: an operator signs in with their token, and a browser then speaks for them.
//!
//! A session is looked up for every page, and the operator behind it with it: neither is remembered, so that who is revoked,
//! signed out or given another token is out at once.

use std::net::IpAddr;

use super::{Administrator, Office};
use crate::domain::{Secret, SecretKind, Session, SessionPolicy, Timestamp};
use crate::store::StoreError;

/// An operator who speaks through a browser.
#[derive(Debug)]
pub struct SignedIn {
    /// Who it is.
    pub administrator: Administrator,
    /// In which session.
    pub session: Session,
}

/// A session that begins.
#[derive(Debug)]
pub struct BegunSession {
    /// For the browser's cookie.
    pub secret: Secret,
    /// How long it lasts at the most.
    pub policy: SessionPolicy,
}

impl Office {
    /// Begins a session for an administrator whose token was checked.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn sign_in(&self, administrator: &Administrator, source: IpAddr) -> Result<BegunSession, StoreError> {
        let secret = Secret::mint(SecretKind::Session, &*self.parts.entropy);
        let now = self.parts.clock.now();
        let session = Session {
            digest: self.parts.pepper.digest(secret.expose()),
            operator_id: administrator.operator_id().clone(),
            token_digest: *administrator.token_digest(),
            source,
            began_at: now,
            used_at: now,
        };
        self.parts.registry.begin_session(session).await?;
        let operator_id = administrator.operator_id().as_str();
        log::info!(operator_id, source:% = source; "an operator signed in");
        Ok(BegunSession {
            secret,
            policy: self.parts.policy.sessions,
        })
    }

    /// The operator for whom the browser with this cookie speaks. `None`: nobody, any more or ever.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = Secret::recognise(cookie).filter(|secret| secret.kind() == SecretKind::Session) else {
            return Ok(None);
        };
        let registry = &self.parts.registry;
        let digest = self.parts.pepper.digest(secret.expose());
        let now = self.parts.clock.now();
        let session = registry.session(digest).await?;
        let live = session.filter(|session| session.is_live(self.parts.policy.sessions, now));
        let Some(session) = live else {
            return Ok(None);
        };
        let operator_id = session.operator_id.clone();
        let operator = registry.read(move |records| records.operator(&operator_id)).await?;
        let Some(operator) = operator.filter(|operator| session.speaks_for(operator, now)) else {
            return Ok(None);
        };
        if session.is_to_be_noted(now) {
            registry.use_session(session.digest, now).await?;
        }
        Ok(Some(SignedIn {
            administrator: Administrator::of(operator),
            session,
        }))
    }

    /// Forgets sessions that no use could have kept; says how many.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn forget_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let began = now - self.parts.policy.sessions.longest;
        self.parts.registry.forget_sessions(began).await
    }

    /// Ends this session.
    ///
    /// # Errors
    /// When the store does not answer in time; then it may have ended or not.
    pub async fn sign_out(&self, who: &SignedIn) -> Result<(), StoreError> {
        self.parts.registry.end_session(who.session.digest).await
    }

    /// Ends every session of this operator; says how many.
    ///
    /// # Errors
    /// When the store does not answer in time; then they may have ended or not.
    pub async fn sign_out_everywhere(&self, who: &SignedIn) -> Result<u64, StoreError> {
        let operator_id = who.administrator.operator_id().clone();
        self.parts.registry.end_sessions(operator_id).await
    }
}
