//! Mutations, written. What comes new is inserted, and a name that is taken is an answer; what changes is updated.

use diesel::prelude::*;

use super::failure::{Abort, of_write};
use crate::domain::{Mutation, Noun, Refusal, SigningKeyRecord};
use crate::store::CommitError;
use crate::store::connection::DbConn;
use crate::store::rows::{ApiRow, ClientRow, OperatorRow, PartnerRow, RevokedTokenRow, SecretRow, SigningKeyRow};
use crate::store::schema::{apis, client_secrets, clients, operators, partners, revoked_tokens, signing_keys};

/// Inserts a row of a noun.
macro_rules! insert {
    ($connection:ident, $noun:ident, $table:ident, $row:expr) => {
        diesel::insert_into($table::table)
            .values(&$row)
            .execute($connection)
            .map(drop)
            .map_err(|error| of_write(Noun::$noun, error))
    };
}

/// Updates the row of a noun, and says how many there were.
macro_rules! update {
    ($connection:ident, $noun:ident, $table:ident, $key:expr, $row:expr) => {
        diesel::update($table::table.find($key))
            .set(&$row)
            .execute($connection)
            .map_err(|error| of_write(Noun::$noun, error))
    };
}

/// Writes `mutation`, all but its journal row.
pub(super) fn apply(connection: &mut DbConn, mutation: Mutation) -> Result<(), Abort> {
    match mutation {
        Mutation::PartnerRegistered(partner) => insert!(connection, Partner, partners, PartnerRow::from(partner)),
        Mutation::PartnerChanged(partner)
        | Mutation::PartnerSuspended(partner)
        | Mutation::PartnerReinstated(partner) => update_partner(connection, &partner.into()),
        Mutation::ApiRegistered(api) => register_api(connection, &api.into()),
        Mutation::ApiChanged(api) => update_api(connection, &api.into()),
        Mutation::ClientRegistered(client, secret) => {
            insert!(connection, Client, clients, ClientRow::from(client))?;
            insert!(connection, Secret, client_secrets, SecretRow::from(secret))
        }
        Mutation::ClientChanged(client)
        | Mutation::ClientSuspended(client)
        | Mutation::ClientReinstated(client)
        | Mutation::ClientRevoked(client) => update_client(connection, &client.into()),
        Mutation::SecretAdded { secret, retiring, .. } => {
            insert!(connection, Secret, client_secrets, SecretRow::from(secret))?;
            retiring
                .into_iter()
                .try_for_each(|retiring| update_secret(connection, &retiring.into()))
        }
        Mutation::SecretRetired { secret, .. } => update_secret(connection, &secret.into()),
        Mutation::OperatorCreated(operator) => insert!(connection, Operator, operators, OperatorRow::from(operator)),
        Mutation::OperatorChanged(operator)
        | Mutation::OperatorTokenRotated(operator)
        | Mutation::OperatorRevoked(operator) => update_operator(connection, &operator.into()),
        Mutation::KeyAnnounced(key) | Mutation::KeyActivated(key) | Mutation::KeyRetired(key) => {
            put_key(connection, key)
        }
        Mutation::KeyImported { withdrawn, announced } => {
            withdrawn.map_or(Ok(()), |withdrawn| put_key(connection, withdrawn))?;
            put_key(connection, announced)
        }
        // The key that stops comes first: two that sign at once would be refused.
        Mutation::KeyRotated { retiring, active } => {
            put_key(connection, retiring)?;
            put_key(connection, active)
        }
        Mutation::KeyRevoked { revoked, successor } => {
            put_key(connection, revoked)?;
            successor.map_or(Ok(()), |successor| put_key(connection, successor))
        }
        Mutation::TokenRevoked(token) => insert!(connection, Token, revoked_tokens, RevokedTokenRow::from(token)),
    }
}

fn update_partner(connection: &mut DbConn, row: &PartnerRow) -> Result<(), Abort> {
    update!(connection, Partner, partners, &row.partner_id, *row).and_then(|rows| one(rows, Noun::Partner))
}

/// Where both its id and its audience are taken, each engine would name another of the two. The id is asked for first.
fn register_api(connection: &mut DbConn, row: &ApiRow) -> Result<(), Abort> {
    let same_id: i64 = apis::table
        .find((&row.environment, &row.api_id))
        .count()
        .get_result(connection)?;
    if same_id > 0 {
        let taken = Refusal::Taken {
            noun: Noun::Api,
            field: "api_id",
        };
        return Err(CommitError::from(taken).into());
    }
    insert!(connection, Api, apis, *row)
}

fn update_api(connection: &mut DbConn, row: &ApiRow) -> Result<(), Abort> {
    update!(connection, Api, apis, (&row.environment, &row.api_id), *row).and_then(|rows| one(rows, Noun::Api))
}

fn update_client(connection: &mut DbConn, row: &ClientRow) -> Result<(), Abort> {
    update!(connection, Client, clients, &row.client_id, *row).and_then(|rows| one(rows, Noun::Client))
}

fn update_secret(connection: &mut DbConn, row: &SecretRow) -> Result<(), Abort> {
    update!(connection, Secret, client_secrets, &row.secret_id, *row).and_then(|rows| one(rows, Noun::Secret))
}

fn update_operator(connection: &mut DbConn, row: &OperatorRow) -> Result<(), Abort> {
    update!(connection, Operator, operators, &row.operator_id, *row).and_then(|rows| one(rows, Noun::Operator))
}

/// A key may be announced before it signs, or sign at once: only the row tells whether it is new.
fn put_key(connection: &mut DbConn, key: SigningKeyRecord) -> Result<(), Abort> {
    let row = SigningKeyRow::from(key);
    match update!(connection, Key, signing_keys, &row.kid, row)? {
        0 => insert!(connection, Key, signing_keys, row),
        _ => Ok(()),
    }
}

/// No row was there to be updated: what the change is about does not exist.
fn one(rows: usize, noun: Noun) -> Result<(), Abort> {
    match rows {
        0 => Err(CommitError::from(Refusal::NotFound(noun)).into()),
        _ => Ok(()),
    }
}
