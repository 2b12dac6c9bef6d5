//! Sums of usage as rows.

use diesel::prelude::*;

use super::Columns;
use crate::domain::{Environment, TokenRefusal};
use crate::store::{StoreError, UsagePlace, UsageRow};

/// What a row is about; a text that is empty is none.
type Place = (i64, String, String, String, String);
/// Each refusal, in the order of [`TokenRefusal::ALL`].
type Refused = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);

/// One sum for each way in which requests end.
#[derive(Queryable)]
pub(in crate::store) struct UsageSums {
    place: Place,
    sums: (i64, Refused),
}

impl TryFrom<UsageSums> for UsageRow {
    type Error = StoreError;

    fn try_from(row: UsageSums) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("usage");
        let (begins, environment, partner_id, client_id, scope) = row.place;
        let given = |text: &String| !text.is_empty();
        let place = UsagePlace {
            begins: COLUMNS.moment("begins", begins)?,
            environment: COLUMNS.word("environment", &environment, (&Environment::ALL, Environment::as_str))?,
            partner_id: COLUMNS.optional_text("partner_id", Some(partner_id).filter(given).as_deref())?,
            client_id: COLUMNS.optional_text("client_id", Some(client_id).filter(given).as_deref())?,
            scope: COLUMNS.optional_text("scope", Some(scope).filter(given).as_deref())?,
        };
        let (issued, refused) = row.sums;
        let refused: [i64; TokenRefusal::ALL.len()] = refused.into();
        Ok(Self {
            place,
            issued: issued.unsigned_abs(),
            refused: refused.map(i64::unsigned_abs),
        })
    }
}
