//! The book of sessions, in SQL.

use diesel::connection::Connection as _;
use diesel::prelude::*;
use diesel::result::Error;

use super::failure::of_query;
use super::{SqlStore, connection};
use crate::domain::{OperatorId, SecretDigest, Session, Timestamp};
use crate::store::connection::DbConn;
use crate::store::rows::SessionRow;
use crate::store::schema::sessions;
use crate::store::{MOST_SESSIONS, SessionBook, StoreError};

fn failed(error: &Error) -> StoreError {
    of_query("sessions", error)
}

impl SessionBook for SqlStore {
    fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let begun = connection.transaction(|connection| {
            let too_many: Vec<Vec<u8>> = sessions::table
                .filter(sessions::operator_id.eq(session.operator_id.as_str()))
                .order((sessions::began_at.desc(), sessions::digest))
                .offset(i64::from(MOST_SESSIONS) - 1)
                .select(sessions::digest)
                .load(connection)?;
            diesel::delete(sessions::table.filter(sessions::digest.eq_any(too_many))).execute(connection)?;
            diesel::insert_into(sessions::table)
                .values(SessionRow::from(session))
                .execute(connection)
        });
        begun.map(drop).map_err(|error| failed(&error))
    }

    fn session(&self, digest: &SecretDigest) -> Result<Option<Session>, StoreError> {
        let mut connection = connection(&self.reading)?;
        let connection: &mut DbConn = &mut connection;
        let row: Option<SessionRow> = sessions::table
            .find(digest.as_bytes().as_slice())
            .select(SessionRow::as_select())
            .first(connection)
            .optional()
            .map_err(|error| failed(&error))?;
        row.map(Session::try_from).transpose()
    }

    fn use_session(&self, digest: &SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let older = sessions::table
            .find(digest.as_bytes().as_slice())
            .filter(sessions::used_at.lt(now.seconds()));
        diesel::update(older)
            .set(sessions::used_at.eq(now.seconds()))
            .execute(connection)
            .map(drop)
            .map_err(|error| failed(&error))
    }

    fn end_session(&self, digest: &SecretDigest) -> Result<(), StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        diesel::delete(sessions::table.find(digest.as_bytes().as_slice()))
            .execute(connection)
            .map(drop)
            .map_err(|error| failed(&error))
    }

    fn end_sessions(&self, operator_id: &OperatorId) -> Result<u64, StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let own = sessions::table.filter(sessions::operator_id.eq(operator_id.as_str()));
        let ended = diesel::delete(own).execute(connection);
        ended.map(|rows| rows as u64).map_err(|error| failed(&error))
    }

    fn forget_sessions(&self, began: Timestamp) -> Result<u64, StoreError> {
        let mut connection = connection(&self.writing)?;
        let connection: &mut DbConn = &mut connection;
        let old = sessions::table.filter(sessions::began_at.le(began.seconds()));
        let forgotten = diesel::delete(old).execute(connection);
        forgotten.map(|rows| rows as u64).map_err(|error| failed(&error))
    }
}
