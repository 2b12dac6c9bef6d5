//! The first owner: made by whoever holds the machine, while there is nobody who could be asked over the admin API.

use super::OfficeError;
use super::commit::{Creation as _, Versioned as _};
use super::operators::{Making, Mint, NewOperator, OperatorWithToken};
use crate::ambient::{Clock, Entropy};
use crate::domain::{
    Actor, Attribution, Change, EmailAddress, Mutation, Operator, Pepper, Refusal, Role, Seconds, Timestamp,
};
use crate::store::{CommitError, Records, Store, StoreError};

/// What the first owner is made with. No server runs yet, so that there is no [`Office`](super::Office).
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// Where it is kept.
    pub store: &'a dyn Store,
    /// The key of digests.
    pub pepper: &'a Pepper,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where the token and the id come from.
    pub entropy: &'a dyn Entropy,
    /// How long the token works.
    pub token_lifetime: Seconds,
}

/// Makes an owner where none has a token that works. Blocks.
///
/// # Errors
/// When there is such an owner, the address is taken, or the store does not answer.
pub fn create_first_owner(machine: &Machine<'_>, email: EmailAddress) -> Result<OperatorWithToken, OfficeError> {
    let at = machine.clock.now_milliseconds();
    let now = at.second();
    let mint = Mint {
        pepper: machine.pepper,
        entropy: machine.entropy,
        token_lifetime: machine.token_lifetime,
        now,
    };
    let role = Role::Owner;
    let (making, token) = mint.operator(NewOperator { email, role });
    let attribution = Attribution {
        actor: Actor::CommandLine,
        at,
        request_id: None,
    };
    let mut made = None;
    let entry = machine.store.commit(&attribution, &mut |records| {
        let (mutation, operator) = first_owner(&making, records, now)?;
        made = Some(operator);
        Ok(Some(Change::from(mutation)))
    })?;
    let (operator, entry) = made
        .zip(entry)
        .ok_or_else(|| StoreError::Corrupt("a commit ended without a decision".to_owned()))?;
    Ok(OperatorWithToken {
        operator: operator.at(entry.epoch),
        token: Some(token),
    })
}

/// Decides whether this one can be the first, behind the epoch.
pub(super) fn first_owner(
    making: &Making,
    records: &mut dyn Records,
    now: Timestamp,
) -> Result<(Mutation, Operator), CommitError> {
    if has_live_owner(records, now)? {
        return Err(Refusal::State(THERE_IS_ONE).into());
    }
    making.make(records)
}

/// Whether there is an owner whose token works at `now`.
///
/// # Errors
/// When the store does not answer.
pub fn has_live_owner(records: &mut dyn Records, now: Timestamp) -> Result<bool, StoreError> {
    Ok(records.operators()?.iter().any(|operator| operator.is_live_owner(now)))
}

const THERE_IS_ONE: &str = "there is an owner already: make further operators with --server and an owner's token";
