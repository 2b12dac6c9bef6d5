//! Setting up: while nobody administers, whoever has the link that was printed at the start may make the first owner.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::commit::Versioned as _;
use super::first_owner::first_owner;
use super::operators::{Mint, NewOperator, OperatorWithToken};
use super::{Errand, Office, OfficeError};
use crate::domain::{Actor, Attribution, Change, EmailAddress, Role, Secret, SecretDigest, SecretKind};
use crate::store::{Records, StoreError};

/// What is kept of the code in the link: its digest, in memory alone. Another start makes another.
#[derive(Clone, Default)]
pub(super) struct SetUpCode(Arc<Mutex<Option<SecretDigest>>>);

impl SetUpCode {
    fn kept(&self) -> MutexGuard<'_, Option<SecretDigest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Office {
    /// A code by which the first owner can be made. One that was given before counts no more.
    #[must_use]
    pub fn offer_set_up(&self) -> Secret {
        let code = Secret::mint(SecretKind::SetUp, &*self.parts.entropy);
        *self.set_up_code.kept() = Some(self.parts.pepper.digest(code.expose()));
        code
    }

    /// Whether this is the code, and was not used yet.
    #[must_use]
    pub fn can_set_up(&self, code: &str) -> bool {
        let Some(code) = Secret::recognise(code).filter(|code| code.kind() == SecretKind::SetUp) else {
            return false;
        };
        let digest = self.parts.pepper.digest(code.expose());
        self.set_up_code.kept().is_some_and(|kept| kept.matches(&digest))
    }

    /// Makes the first owner. `None`: the code does not count.
    ///
    /// # Errors
    /// When there is an owner whose token works, the address is taken, or the store does not answer in time.
    pub async fn set_up(
        &self,
        code: &str,
        errand: Errand,
        email: EmailAddress,
    ) -> Result<Option<OperatorWithToken>, OfficeError> {
        if !self.can_set_up(code) {
            return Ok(None);
        }
        let at = self.parts.clock.now_milliseconds();
        let now = at.second();
        let mint = Mint {
            pepper: &self.parts.pepper,
            entropy: &*self.parts.entropy,
            token_lifetime: self.parts.policy.operator_token_lifetime,
            now,
        };
        let role = Role::Owner;
        let (making, token) = mint.operator(NewOperator { email, role });
        let attribution = Attribution {
            actor: Actor::CommandLine,
            at,
            request_id: errand.request_id,
        };
        let decide = move |records: &mut dyn Records| {
            let (mutation, operator) = first_owner(&making, records, now)?;
            Ok((Some(Change::from(mutation)), operator))
        };
        let (entry, operator) = self.parts.registry.commit_entry(attribution, decide).await?;
        let entry = entry.ok_or_else(|| StoreError::Corrupt("a commit ended without a decision".to_owned()))?;
        *self.set_up_code.kept() = None;
        Ok(Some(OperatorWithToken {
            operator: operator.at(entry.epoch),
            token: Some(token),
        }))
    }
}
