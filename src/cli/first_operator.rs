//! The first operator, made on the machine itself, without a server.

use super::failure::Failure;
use crate::app::{self, Ambient, AppError};
use crate::config::Settings;
use crate::domain::{EmailAddress, Role};
use crate::office::{self, Machine, OperatorWithToken};
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
) -> Result<OperatorWithToken, Failure> {
    if role != Role::Owner {
        return Err(Failure::usage(
            "the first operator must be an owner; to make another, give --server or an operator's token",
        ));
    }
    let installation = app::open_installation(settings, ambient).map_err(told)?;
    let machine = Machine {
        store: &*installation.store,
        pepper: &installation.pepper,
        clock: &*ambient.clock,
        entropy: &*ambient.entropy,
        token_lifetime: settings.operators.token_lifetime,
    };
    Ok(office::create_first_owner(&machine, email)?)
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
