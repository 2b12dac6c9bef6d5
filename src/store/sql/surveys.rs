//! What is counted and looked for over all clients, in SQL.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::failure::of_query;
use crate::domain::{ClientId, ClientStatus, Ending, NoticeKind, SecretStatus, Span, Timestamp};
use crate::store::connection::DbConn;
use crate::store::rows::EndingRow;
use crate::store::schema::{client_secrets, clients};
use crate::store::{ClientCount, Page, StoreError};

fn unreadable(column: &'static str) -> StoreError {
    StoreError::Corrupt(format!("a row of clients has an unreadable {column}"))
}

pub(super) fn client_counts(connection: &mut DbConn) -> Result<Vec<ClientCount>, StoreError> {
    let rows: QueryResult<Vec<(String, String, i64)>> = clients::table
        .group_by((clients::environment, clients::status))
        .order((clients::environment, clients::status))
        .select((clients::environment, clients::status, count_star()))
        .load(connection);
    let rows = rows.map_err(|error| of_query("clients", &error))?;
    let count = |(environment, status, clients): (String, String, i64)| {
        let known = |known: &ClientStatus| known.as_str() == status;
        let status = ClientStatus::ALL.into_iter().find(known);
        Ok(ClientCount {
            environment: environment.parse().map_err(|_| unreadable("environment"))?,
            status: status.ok_or_else(|| unreadable("status"))?,
            clients: clients.unsigned_abs(),
        })
    };
    rows.into_iter().map(count).collect()
}

pub(super) fn clients_with_spare_secrets(
    connection: &mut DbConn,
    now: Timestamp,
    page: &Page<ClientId>,
) -> Result<Vec<ClientId>, StoreError> {
    let after = page.after.as_ref().map_or("", ClientId::as_str);
    let lasts = client_secrets::expires_at
        .is_null()
        .or(client_secrets::expires_at.gt(now.seconds()));
    let rows: QueryResult<Vec<String>> = client_secrets::table
        .filter(client_secrets::client_id.gt(after))
        .filter(client_secrets::status.eq(SecretStatus::Active.as_str()))
        .filter(lasts)
        .group_by(client_secrets::client_id)
        .having(count_star().gt(1))
        .order(client_secrets::client_id)
        .select(client_secrets::client_id)
        .limit(page.limit.into())
        .load(connection);
    let rows = rows.map_err(|error| of_query("client_secrets", &error))?;
    let read = |text: String| text.parse().map_err(|_| unreadable("client_id"));
    rows.into_iter().map(read).collect()
}

// Clients that are active are said to be neither suspended nor revoked, as where notices are raised: else SQLite begins with the index
// of clients by status.

pub(super) fn soonest_endings(
    connection: &mut DbConn,
    kind: NoticeKind,
    (now, span, limit): (Timestamp, Span, u16),
) -> Result<Vec<Ending>, StoreError> {
    let (after, until) = (span.after.seconds(), span.until.seconds());
    let rows: QueryResult<Vec<EndingRow>> = match kind {
        NoticeKind::SecretExpiring => client_secrets::table
            .inner_join(clients::table)
            .filter(client_secrets::status.eq(SecretStatus::Active.as_str()))
            .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
            .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
            .filter(clients::expires_at.is_null().or(clients::expires_at.gt(now.seconds())))
            .filter(client_secrets::expires_at.gt(after))
            .filter(client_secrets::expires_at.le(until))
            .order((client_secrets::expires_at, client_secrets::secret_id))
            .limit(limit.into())
            .select((
                client_secrets::secret_id,
                clients::client_id,
                clients::partner_id,
                clients::environment,
                client_secrets::expires_at,
            ))
            .load(connection),
        NoticeKind::ClientExpiring => clients::table
            .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
            .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
            .filter(clients::expires_at.gt(after))
            .filter(clients::expires_at.le(until))
            .order((clients::expires_at, clients::client_id))
            .limit(limit.into())
            .select((
                clients::client_id,
                clients::client_id,
                clients::partner_id,
                clients::environment,
                clients::expires_at,
            ))
            .load(connection),
    };
    let rows = rows.map_err(|error| of_query("clients", &error))?;
    rows.into_iter().map(|row| row.read(kind)).collect()
}
