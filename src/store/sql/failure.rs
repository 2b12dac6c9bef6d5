//! What the engines' errors mean here. Their messages name tables and constraints, never values; details, which do, stay out.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error};

use crate::domain::{Noun, Refusal};
use crate::store::{ANOTHER_KEY_SIGNS, CommitError, StoreError};

/// Why a transaction is rolled back.
pub(super) enum Abort {
    /// There was nothing to do after all.
    Nothing,
    /// It was refused, or the store failed.
    Failed(CommitError),
}

impl From<CommitError> for Abort {
    fn from(error: CommitError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Abort {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Abort {
    fn from(error: Error) -> Self {
        of_query("the store", &error).into()
    }
}

/// What `error` says of the store, met while reading or writing `table`.
pub(super) fn of_query(table: &str, error: &Error) -> StoreError {
    match error {
        Error::DeserializationError(_) | Error::NotFound => {
            StoreError::Corrupt(format!("a row of {table} is missing, or has a value of the wrong type"))
        }
        Error::DatabaseError(kind, information) if is_constraint(*kind) => {
            StoreError::Corrupt(format!("a change does not fit: {}", information.message()))
        }
        Error::DatabaseError(_, information) => StoreError::Unavailable(information.message().to_owned()),
        other => StoreError::Unavailable(other.to_string()),
    }
}

const fn is_constraint(kind: DatabaseErrorKind) -> bool {
    matches!(
        kind,
        DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
    )
}

/// What an error means while a `noun` is written: a name that is taken is an answer, all else a failure.
pub(super) fn of_write(noun: Noun, error: Error) -> Abort {
    match error {
        Error::DatabaseError(DatabaseErrorKind::UniqueViolation, information) => {
            Abort::Failed(taken(noun, constraint(&*information)).into())
        }
        other => of_query(noun.as_str(), &other).into(),
    }
}

/// The index or the columns that stood in the way: PostgreSQL names the one, SQLite lists the others.
fn constraint(information: &(dyn DatabaseErrorInformation + Send + Sync)) -> &str {
    information.constraint_name().unwrap_or_else(|| information.message())
}

/// Both engines' names hold the column that tells the rules of one noun apart.
fn taken(noun: Noun, constraint: &str) -> Refusal {
    let field = match noun {
        Noun::Partner => "partner_id",
        Noun::Api => "audience",
        Noun::Client => "client_id",
        Noun::Secret => "secret_id",
        Noun::Operator if constraint.contains("email") => "email",
        Noun::Operator if constraint.contains("token_digest") => "token",
        Noun::Operator => "operator_id",
        Noun::Key if constraint.contains("environment") => return ANOTHER_KEY_SIGNS,
        Noun::Key => "kid",
        Noun::Token => "jti",
    };
    Refusal::Taken { noun, field }
}
