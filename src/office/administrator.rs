//! The administrator: the proof that an operator's token was checked, or that somebody holds the machine.

use super::{Office, OfficeError};
use crate::domain::{Actor, Noun, Operator, OperatorId, Refusal, Role, Secret, SecretKind, Timestamp};
use crate::store::{CommitError, Records, StoreError};

/// Somebody who may administer. Made by [`Office::administrator`] and [`Administrator::at_the_machine`] only.
#[derive(Clone, Debug)]
pub struct Administrator(Identity);

#[derive(Clone, Debug)]
enum Identity {
    /// Whoever presented a token of this operator.
    Operator(Operator),
    /// Whoever can open the store and the master key.
    Machine,
}

impl Administrator {
    /// Somebody with access to the machine, who may do anything: the command line, which opened the store and the master key.
    #[must_use]
    pub const fn at_the_machine() -> Self {
        Self(Identity::Machine)
    }

    /// What they may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        match &self.0 {
            Identity::Operator(operator) => operator.role,
            Identity::Machine => Role::Owner,
        }
    }

    /// The operator's id; none at the machine.
    #[must_use]
    pub const fn operator_id(&self) -> Option<&OperatorId> {
        match &self.0 {
            Identity::Operator(operator) => Some(&operator.operator_id),
            Identity::Machine => None,
        }
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
        match &self.0 {
            Identity::Operator(operator) => Actor::Operator(operator.operator_id.clone(), operator.email.clone()),
            Identity::Machine => Actor::CommandLine,
        }
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
        let Identity::Operator(known) = &self.administrator.0 else {
            return Ok(());
        };
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
        Ok(admitted.map(|operator| Administrator(Identity::Operator(operator))))
    }

    /// Who an administrator is, as it stands now.
    ///
    /// # Errors
    /// At the machine there is no operator; or the store does not answer in time.
    pub async fn whoami(&self, who: &Administrator) -> Result<Operator, OfficeError> {
        let missing = Refusal::NotFound(Noun::Operator);
        let operator_id = who.operator_id().ok_or_else(|| missing.clone())?.clone();
        let found = self
            .parts
            .registry
            .read(move |records| records.operator(&operator_id))
            .await?;
        Ok(found.ok_or(missing)?)
    }
}
