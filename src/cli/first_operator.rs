//! The first operator: made by whoever holds the machine, while there is nobody who could be asked over the admin API.

use super::failure::Failure;
use crate::app::{self, Ambient, AppError, Installation};
use crate::config::Settings;
use crate::domain::{
    Actor, Attribution, EmailAddress, Epoch, Mutation, Noun, Operator, OperatorId, OperatorStatus, Refusal, Role,
    Secret, SecretKind,
};
use crate::store::OpenError;

/// Makes an owner where none has a token that works, and gives it back with its token.
///
/// # Errors
/// When there is such an owner, another role is asked for, the address is taken, or the store cannot be opened.
pub(super) fn create(
    settings: &Settings,
    ambient: &Ambient,
    email: EmailAddress,
    role: Role,
) -> Result<(Operator, Secret), Failure> {
    if role != Role::Owner {
        return Err(Failure::usage(
            "the first operator must be an owner; to make another, give --server or an operator's token",
        ));
    }
    let installation = app::open_installation(settings, ambient).map_err(told)?;
    commit(&installation, settings, ambient, email)
}

fn commit(
    installation: &Installation,
    settings: &Settings,
    ambient: &Ambient,
    email: EmailAddress,
) -> Result<(Operator, Secret), Failure> {
    let now = ambient.clock.now();
    let token = Secret::mint(SecretKind::Operator, &*ambient.entropy);
    let operator = Operator {
        operator_id: OperatorId::mint(&*ambient.entropy),
        email,
        role: Role::Owner,
        token_digest: installation.pepper.digest(token.expose()),
        token_hint: token.hint(),
        token_expires_at: now + settings.operators.token_lifetime,
        status: OperatorStatus::Active,
        created_at: now,
        version: Epoch::ZERO,
    };
    let attribution = Attribution {
        actor: Actor::CommandLine,
        at: ambient.clock.now_milliseconds(),
        request_id: None,
    };
    installation.store.commit(&attribution, &mut |records| {
        let operators = records.operators()?;
        if operators
            .iter()
            .any(|known| known.role == Role::Owner && known.is_live(now))
        {
            return Err(Refusal::State(THERE_IS_ONE).into());
        }
        let is_taken = |known: &Operator| known.status == OperatorStatus::Active && known.email == operator.email;
        if operators.iter().any(is_taken) {
            return Err(Refusal::Taken {
                noun: Noun::Operator,
                field: "email",
            }
            .into());
        }
        Ok(Some(Mutation::OperatorCreated(operator.clone()).into()))
    })?;
    Ok((operator, token))
}

/// A SQLite file that is in use has a server that can be asked instead, or stopped.
fn told(error: AppError) -> Failure {
    let is_in_use = matches!(error, AppError::Open(OpenError::InUse(_)));
    let failure = Failure::from(error);
    if is_in_use {
        failure.and("stop the server, or ask it: --server and an owner's token")
    } else {
        failure
    }
}

const THERE_IS_ONE: &str = "there is an owner already: make further operators with --server and an owner's token";
