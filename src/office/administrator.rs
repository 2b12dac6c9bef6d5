//! The administrator: the proof that an operator's token was checked.

use super::commit::found;
use super::{Office, OfficeError};
use crate::domain::{Actor, Noun, Operator, OperatorId, Refusal, Role, Secret, SecretKind, Timestamp};
use crate::store::{CommitError, Records, StoreError};

/// Somebody who may administer. Made by [`Office::administrator`] only.
#[derive(Clone, Debug)]
pub struct Administrator(Operator);

impl Administrator {
    /// What they may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.0.role
    }

    /// The operator's id.
    #[must_use]
    pub const fn operator_id(&self) -> &OperatorId {
        &self.0.operator_id
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

impl Office {
    /// Checks an operator's token. `None` says only that it does not count: it is not one, or of nobody, or expired, or revoked.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn administrator(&self, token: &str) -> Result<Option<Administrator>, StoreError> {
        let Some(secret) = Secret::recognise(token).filter(|secret| secret.kind() == SecretKind::Operator) else {
            return Ok(None);
        };
        let digest = self.parts.pepper.digest(secret.expose());
        let operator = self
            .parts
            .registry
            .read(move |records| records.operator_by_token(&digest))
            .await?;
        let now = self.parts.clock.now();
        let admitted = operator.filter(|operator| operator.token_digest.matches(&digest) && operator.is_live(now));
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
