//! Rows of sessions.

use diesel::prelude::*;

use super::Columns;
use crate::domain::{SecretDigest, Session};
use crate::store::StoreError;
use crate::store::schema::sessions;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = sessions)]
pub(in crate::store) struct SessionRow {
    digest: Vec<u8>,
    operator_id: String,
    token_digest: Vec<u8>,
    source: String,
    began_at: i64,
    used_at: i64,
}

impl From<&Session> for SessionRow {
    fn from(session: &Session) -> Self {
        Self {
            digest: session.digest.as_bytes().to_vec(),
            operator_id: session.operator_id.to_string(),
            token_digest: session.token_digest.as_bytes().to_vec(),
            source: session.source.to_string(),
            began_at: session.began_at.seconds(),
            used_at: session.used_at.seconds(),
        }
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("sessions");
        Ok(Self {
            digest: SecretDigest::from_bytes(COLUMNS.digest("digest", &row.digest)?),
            operator_id: COLUMNS.text("operator_id", &row.operator_id)?,
            token_digest: SecretDigest::from_bytes(COLUMNS.digest("token_digest", &row.token_digest)?),
            source: COLUMNS.text("source", &row.source)?,
            began_at: COLUMNS.moment("began_at", row.began_at)?,
            used_at: COLUMNS.moment("used_at", row.used_at)?,
        })
    }
}
