//! The board of notices, in SQL.

use diesel::connection::Connection as _;
use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::failure::of_query;
use super::{SqlStore, connection};
use crate::domain::{
    ClientStatus, Delivery, DeliveryState, Ending, Environment, KeptNotice, NoticeId, NoticeKind, SecretStatus, Span,
    Timestamp,
};
use crate::store::connection::DbConn;
use crate::store::rows::{DeliveryRow, EndingRow, NoticeRow};
use crate::store::schema::{client_secrets, clients, notices};
use crate::store::{EndingCount, EndingKey, NearEnd, NoticeBoard, NoticeFilter, Order, Page, StoreError};

/// How often another replica may be quicker before this one lets it be.
const MOST_TRIES: usize = 8;

fn failed(error: &Error) -> StoreError {
    of_query("notices", error)
}

impl NoticeBoard for SqlStore {
    fn raise(&self, notices: Vec<KeptNotice>) -> Result<Vec<KeptNotice>, StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let mut kept = Vec::with_capacity(notices.len());
        let raised = connection.transaction(|connection| {
            for notice in notices {
                if insert(connection, &(&notice).into())? {
                    kept.push(notice);
                }
            }
            Ok(kept)
        });
        raised.map_err(|error| failed(&error))
    }

    fn take_due(&self, now: Timestamp, lost_at: Timestamp) -> Result<Option<KeptNotice>, StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        for _ in 0..MOST_TRIES {
            let Some(due) = longest_due(connection, now).map_err(|error| failed(&error))? else {
                return Ok(None);
            };
            let mut kept = KeptNotice::try_from(due)?;
            let Delivery::Waiting { attempts, .. } = kept.delivery else {
                return Err(StoreError::Corrupt("a notice is due that waits for nothing".to_owned()));
            };
            kept.delivery = Delivery::Waiting {
                attempts: attempts + 1,
                next_attempt_at: lost_at,
            };
            let taken = replace(connection, (&kept.notice.notice_id, attempts), kept.delivery);
            if taken.map_err(|error| failed(&error))? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    fn settle(&self, notice_id: &NoticeId, delivery: Delivery) -> Result<bool, StoreError> {
        let attempts = match delivery {
            Delivery::None => return Ok(false),
            Delivery::Waiting { attempts, .. }
            | Delivery::Delivered { attempts, .. }
            | Delivery::GivenUp { attempts, .. } => attempts,
        };
        let mut connection = connection(&self.writing)?;
        replace(&mut connection, (notice_id, attempts), delivery).map_err(|error| failed(&error))
    }

    fn forget_notices(&self, ended: Timestamp) -> Result<u64, StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let rows = diesel::delete(notices::table.filter(notices::expires_at.le(ended.seconds()))).execute(connection);
        rows.map(|rows| rows as u64).map_err(|error| failed(&error))
    }
}

/// Whether the row is the first of its subject, end and threshold. In a transaction of its own inside the other, which PostgreSQL
/// would otherwise give up at the first that is not.
fn insert(connection: &mut DbConn, row: &NoticeRow) -> QueryResult<bool> {
    let inserted =
        connection.transaction(|connection| diesel::insert_into(notices::table).values(row).execute(connection));
    match inserted {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(error),
    }
}

fn longest_due(connection: &mut DbConn, now: Timestamp) -> QueryResult<Option<NoticeRow>> {
    notices::table
        .filter(notices::delivery.eq(DeliveryState::Waiting.as_str()))
        .filter(notices::next_attempt_at.le(now.seconds()))
        .order((notices::next_attempt_at, notices::notice_id))
        .select(NoticeRow::as_select())
        .first(connection)
        .optional()
}

/// Writes how far the sending has come, if it still waits and was tried `attempts` times.
fn replace(connection: &mut DbConn, (notice_id, attempts): (&NoticeId, u32), delivery: Delivery) -> QueryResult<bool> {
    let waiting = notices::table
        .find(notice_id.as_str())
        .filter(notices::delivery.eq(DeliveryState::Waiting.as_str()))
        .filter(notices::attempts.eq(i64::from(attempts)));
    let rows = diesel::update(waiting)
        .set(DeliveryRow::from(delivery))
        .execute(connection)?;
    Ok(rows == 1)
}

pub(super) fn notices(
    connection: &mut DbConn,
    filter: &NoticeFilter,
    page: &Page<NoticeId>,
) -> Result<Vec<KeptNotice>, StoreError> {
    let mut query = notices::table.select(NoticeRow::as_select()).into_boxed();
    if let Some(kind) = filter.kind {
        query = query.filter(notices::kind.eq(kind.as_str()));
    }
    if let Some(environment) = filter.environment {
        query = query.filter(notices::environment.eq(environment.as_str()));
    }
    if let Some(partner_id) = &filter.partner_id {
        query = query.filter(notices::partner_id.eq(partner_id.as_str()));
    }
    if let Some(client_id) = &filter.client_id {
        query = query.filter(notices::client_id.eq(client_id.as_str()));
    }
    if let Some(state) = filter.delivery {
        query = query.filter(notices::delivery.eq(state.as_str()));
    }
    if let Some(after) = &page.after {
        query = match filter.order {
            Order::OldestFirst => query.filter(notices::notice_id.gt(after.as_str())),
            Order::NewestFirst => query.filter(notices::notice_id.lt(after.as_str())),
        };
    }
    let query = match filter.order {
        Order::OldestFirst => query.order(notices::notice_id.asc()),
        Order::NewestFirst => query.order(notices::notice_id.desc()),
    };
    let rows: Vec<NoticeRow> = query
        .limit(page.limit.into())
        .load(connection)
        .map_err(|error| failed(&error))?;
    rows.into_iter().map(KeptNotice::try_from).collect()
}

pub(super) fn endings(
    connection: &mut DbConn,
    near: &NearEnd,
    page: &Page<EndingKey>,
) -> Result<Vec<Ending>, StoreError> {
    let rows = match near.kind {
        NoticeKind::SecretExpiring => secrets_ending(connection, near, page),
        NoticeKind::ClientExpiring => clients_ending(connection, near, page),
    };
    let rows: Vec<EndingRow> = rows.map_err(|error| failed(&error))?;
    rows.into_iter().map(|row| row.read(near.kind)).collect()
}

// Clients that are active are said to be neither suspended nor revoked: else SQLite begins with the index of clients by status, which
// leads to nearly all of them, and not with what ends.

/// Where a page of a list begins: rows after this one are on it.
fn begin(near: &NearEnd, page: &Page<EndingKey>) -> (i64, String) {
    match &page.after {
        Some((end, id)) => (end.seconds(), id.clone()),
        // No id is greater than this one, since ids are ASCII: nothing that ends where the span begins is on the page.
        None => (near.span.after.seconds(), "\u{7f}".to_owned()),
    }
}

fn secrets_ending(connection: &mut DbConn, near: &NearEnd, page: &Page<EndingKey>) -> QueryResult<Vec<EndingRow>> {
    let (end, id) = begin(near, page);
    let noticed = notices::kind
        .eq(near.kind.as_str())
        .and(notices::subject.eq(client_secrets::secret_id))
        .and(notices::expires_at.nullable().eq(client_secrets::expires_at))
        .and(notices::days.eq(i64::from(near.threshold.days())));
    let later = client_secrets::expires_at.gt(end);
    let same = client_secrets::expires_at.eq(end).and(client_secrets::secret_id.gt(id));
    client_secrets::table
        .left_join(notices::table.on(noticed))
        .inner_join(clients::table)
        .filter(notices::notice_id.is_null())
        .filter(client_secrets::status.eq(SecretStatus::Active.as_str()))
        .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
        .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
        .filter(
            clients::expires_at
                .is_null()
                .or(clients::expires_at.gt(near.now.seconds())),
        )
        .filter(later.or(same))
        .filter(client_secrets::expires_at.ge(end))
        .filter(client_secrets::expires_at.le(near.span.until.seconds()))
        .order((client_secrets::expires_at, client_secrets::secret_id))
        .limit(page.limit.into())
        .select((
            client_secrets::secret_id,
            clients::client_id,
            clients::partner_id,
            clients::environment,
            client_secrets::expires_at,
        ))
        .load(connection)
}

fn clients_ending(connection: &mut DbConn, near: &NearEnd, page: &Page<EndingKey>) -> QueryResult<Vec<EndingRow>> {
    let (end, id) = begin(near, page);
    let noticed = notices::kind
        .eq(near.kind.as_str())
        .and(notices::subject.eq(clients::client_id))
        .and(notices::expires_at.nullable().eq(clients::expires_at))
        .and(notices::days.eq(i64::from(near.threshold.days())));
    let later = clients::expires_at.gt(end);
    let same = clients::expires_at.eq(end).and(clients::client_id.gt(id));
    clients::table
        .left_join(notices::table.on(noticed))
        .filter(notices::notice_id.is_null())
        .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
        .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
        .filter(later.or(same))
        .filter(clients::expires_at.ge(end))
        .filter(clients::expires_at.le(near.span.until.seconds()))
        .order((clients::expires_at, clients::client_id))
        .limit(page.limit.into())
        .select((
            clients::client_id,
            clients::client_id,
            clients::partner_id,
            clients::environment,
            clients::expires_at,
        ))
        .load(connection)
}

pub(super) fn count_endings(
    connection: &mut DbConn,
    kind: NoticeKind,
    (now, span): (Timestamp, Span),
) -> Result<EndingCount, StoreError> {
    let (after, until) = (span.after.seconds(), span.until.seconds());
    let rows: QueryResult<Vec<(String, i64)>> = match kind {
        NoticeKind::SecretExpiring => client_secrets::table
            .inner_join(clients::table)
            .filter(client_secrets::status.eq(SecretStatus::Active.as_str()))
            .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
            .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
            .filter(clients::expires_at.is_null().or(clients::expires_at.gt(now.seconds())))
            .filter(client_secrets::expires_at.gt(after))
            .filter(client_secrets::expires_at.le(until))
            .group_by(clients::environment)
            .select((clients::environment, count_star()))
            .load(connection),
        NoticeKind::ClientExpiring => clients::table
            .filter(clients::status.ne(ClientStatus::Suspended.as_str()))
            .filter(clients::status.ne(ClientStatus::Revoked.as_str()))
            .filter(clients::expires_at.gt(after))
            .filter(clients::expires_at.le(until))
            .group_by(clients::environment)
            .select((clients::environment, count_star()))
            .load(connection),
    };
    let rows = rows.map_err(|error| failed(&error))?;
    let mut counts = EndingCount::default();
    for (word, count) in rows {
        let unreadable = |_| StoreError::Corrupt("a row of clients has an unreadable environment".to_owned());
        let environment: Environment = word.parse().map_err(unreadable)?;
        counts = counts.with(environment, count.unsigned_abs());
    }
    Ok(counts)
}
