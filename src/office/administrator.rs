//! The administrator: the proof that an operator's token was checked.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::commit::found;
use super::{Office, OfficeError};
use crate::domain::{
    Actor, EmailAddress, Noun, Operator, OperatorId, Refusal, Role, Secret, SecretDigest, SecretKind, Timestamp,
};
use crate::store::{CommitError, Records, StoreError};

/// Of how many operators it is remembered that they were here.
const MOST_ADMITTED: usize = 1_000;

/// Somebody who may administer. Made by [`Office::administrator`] and [`Office::signed_in`] only.
#[derive(Clone, Debug)]
pub struct Administrator(Operator);

impl Administrator {
    /// What they may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.0.role
    }

    /// Under which address they are known.
    #[must_use]
    pub const fn email(&self) -> &EmailAddress {
        &self.0.email
    }

    /// The operator's id.
    #[must_use]
    pub const fn operator_id(&self) -> &OperatorId {
        &self.0.operator_id
    }

    /// The digest of their token.
    pub(super) const fn token_digest(&self) -> &SecretDigest {
        &self.0.token_digest
    }

    /// The operator behind a session that was checked.
    pub(super) const fn of(operator: Operator) -> Self {
        Self(operator)
    }

    /// Leave to do what needs the role `needs`.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`] when theirs is less.
    pub fn require(&self, needs: Role) -> Result<Permit<'_>, Refusal> {
        if self.role() >= needs {
            Ok(Permit {
                administrator: self,
                needs,
            })
        } else {
            Err(Refusal::Forbidden { needs })
        }
    }

    /// Who this is in the journal.
    pub(super) fn actor(&self) -> Actor {
        Actor::Operator(self.0.operator_id.clone(), self.0.email.clone())
    }
}

/// Leave to do what needs a role. It does not outlive the administrator, and a change asks once more whether it still holds.
#[derive(Clone, Copy, Debug)]
pub struct Permit<'a> {
    administrator: &'a Administrator,
    needs: Role,
}

impl Permit<'_> {
    /// Whose leave it is.
    pub(super) const fn administrator(&self) -> &Administrator {
        self.administrator
    }

    /// What is asked again when the change is written.
    pub(super) fn standing(&self, now: Timestamp) -> Standing {
        Standing {
            administrator: self.administrator.clone(),
            needs: self.needs,
            now,
        }
    }
}

/// Whether leave given at the door still holds behind the epoch.
pub(super) struct Standing {
    administrator: Administrator,
    needs: Role,
    now: Timestamp,
}

impl Standing {
    /// Asks again.
    ///
    /// # Errors
    /// When the operator was revoked or demoted, or the token replaced, since it was checked.
    pub(super) fn hold(&self, records: &mut dyn Records) -> Result<(), CommitError> {
        let known = &self.administrator.0;
        let holds = records.operator(&known.operator_id)?.is_some_and(|operator| {
            operator.is_live(self.now)
                && operator.role >= self.needs
                && operator.token_digest.matches(&known.token_digest)
        });
        if holds {
            Ok(())
        } else {
            Err(Refusal::Forbidden { needs: self.needs }.into())
        }
    }
}

/// The digests of tokens that counted when they were last looked at. No proof of anything: whether one counts now, the store says.
#[derive(Clone)]
pub(super) struct Admitted(Arc<Cache<[u8; 32], ()>>);

impl Admitted {
    /// None yet.
    pub(super) fn none() -> Self {
        Self(Arc::new(Cache::new(MOST_ADMITTED)))
    }

    fn note(&self, digest: &SecretDigest, admitted: Option<&Operator>) {
        if admitted.is_some() {
            self.0.insert(*digest.as_bytes(), ());
        } else {
            self.0.remove(digest.as_bytes());
        }
    }
}

impl Office {
    /// Whether this token counted when this replica last looked at it. Asks nobody, so that whoever guesses can be told without the
    /// store from an operator at work behind the same address.
    #[must_use]
    pub fn has_admitted(&self, token: &str) -> bool {
        self.digest(token)
            .is_some_and(|digest| self.admitted.0.contains_key(digest.as_bytes()))
    }

    fn digest(&self, token: &str) -> Option<SecretDigest> {
        let secret = Secret::recognise(token).filter(|secret| secret.kind() == SecretKind::Operator)?;
        Some(self.parts.pepper.digest(secret.expose()))
    }

    /// Checks an operator's token. `None` says only that it does not count: it is not one, or of nobody, or expired, or revoked.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn administrator(&self, token: &str) -> Result<Option<Administrator>, StoreError> {
        let Some(digest) = self.digest(token) else {
            return Ok(None);
        };
        let operator = self
            .parts
            .registry
            .read(move |records| records.operator_by_token(&digest))
            .await?;
        let now = self.parts.clock.now();
        let admitted = operator.filter(|operator| operator.token_digest.matches(&digest) && operator.is_live(now));
        self.admitted.note(&digest, admitted.as_ref());
        Ok(admitted.map(Administrator))
    }

    /// Who an administrator is, as it stands now.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn whoami(&self, who: &Administrator) -> Result<Operator, OfficeError> {
        let operator_id = who.operator_id().clone();
        let registry = &self.parts.registry;
        let operator = registry.read(move |records| records.operator(&operator_id)).await?;
        Ok(found(operator, Noun::Operator)?)
    }
}
