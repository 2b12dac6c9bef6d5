//! Drawing from meters, in SQL. Each draw is one conditional update, so that no two of them together pass the limit, whatever runs
//! beside them.

use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};

use super::failure::of_query;
use crate::domain::{Meter, Period, Seconds, Timestamp};
use crate::store::connection::DbConn;
use crate::store::schema::quota_meters;
use crate::store::{Draw, Drawn, METERS_KEPT, Return, StoreError};

/// How often a draw is tried anew because another changed the row in between.
const ATTEMPTS: usize = 32;
/// The most rows forgotten at a time, give or take those of one holder.
const FORGOTTEN_AT_A_TIME: i64 = 5_000;

/// What tells a row from every other.
type Key<'a> = (&'a str, &'a str, &'a str, &'a str, i64);

fn key(meter: &Meter) -> Key<'_> {
    (
        meter.holder.kind(),
        meter.holder.id(),
        meter.environment.as_str(),
        meter.window.period().as_str(),
        meter.window.start().seconds(),
    )
}

fn failed(error: &Error) -> StoreError {
    of_query("quota_meters", error)
}

fn number(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

fn tokens(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a row of quota_meters has an unreadable drawn".to_owned()))
}

/// How many have been drawn; `None` before the first draw.
pub(super) fn drawn(connection: &mut DbConn, meter: &Meter) -> Result<Option<u64>, StoreError> {
    let found: Option<i64> = quota_meters::table
        .find(key(meter))
        .select(quota_meters::drawn)
        .first(connection)
        .optional()
        .map_err(|error| failed(&error))?;
    found.map(tokens).transpose()
}

pub(super) fn draw(connection: &mut DbConn, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
    let mut granted = draw.granted(0);
    for _ in 0..ATTEMPTS {
        if let Some(total) = raise(connection, meter, (granted, draw.most_before(granted)))? {
            return Ok(Drawn { granted, total });
        }
        match drawn(connection, meter)? {
            None if begin(connection, meter, granted)? => {
                return Ok(Drawn {
                    granted,
                    total: granted,
                });
            }
            None => {}
            Some(total) => {
                granted = granted.min(draw.granted(total));
                if granted == 0 {
                    return Ok(Drawn { granted, total });
                }
            }
        }
    }
    Err(StoreError::Unavailable("the meter was never at rest".to_owned()))
}

/// Adds `granted`, if no more than `most` were drawn before, and gives the sum, read while the row is still this call's alone.
fn raise(connection: &mut DbConn, meter: &Meter, (granted, most): (u64, u64)) -> Result<Option<u64>, StoreError> {
    let row = quota_meters::table.find(key(meter));
    let raised = diesel::update(row.filter(quota_meters::drawn.le(number(most))))
        .set(quota_meters::drawn.eq(quota_meters::drawn + number(granted)));
    let total: Option<i64> = connection
        .transaction(|connection| {
            if raised.execute(connection)? == 0 {
                return Ok(None);
            }
            let row = quota_meters::table.find(key(meter));
            row.select(quota_meters::drawn).first(connection).optional()
        })
        .map_err(|error| failed(&error))?;
    total.map(tokens).transpose()
}

/// Begins the row at what is `granted`; false when another began it meanwhile.
fn begin(connection: &mut DbConn, meter: &Meter, granted: u64) -> Result<bool, StoreError> {
    let (holder_kind, holder_id, environment, period, window_start) = key(meter);
    let row = (
        quota_meters::holder_kind.eq(holder_kind),
        quota_meters::holder_id.eq(holder_id),
        quota_meters::environment.eq(environment),
        quota_meters::period.eq(period),
        quota_meters::window_start.eq(window_start),
        quota_meters::drawn.eq(number(granted)),
    );
    match diesel::insert_into(quota_meters::table).values(row).execute(connection) {
        Ok(_) => Ok(true),
        Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
        Err(error) => Err(failed(&error)),
    }
}

pub(super) fn give_back(connection: &mut DbConn, returns: &[Return]) -> Result<(), StoreError> {
    // In one order everywhere: two replicas that return to the same rows then wait for each other but never both at once.
    let mut returns: Vec<_> = returns.iter().collect();
    returns.sort_unstable_by(|one, other| one.meter.cmp(&other.meter));
    let returned = connection.transaction(|connection| {
        returns.iter().try_for_each(|undrawn| {
            let tokens = number(undrawn.tokens);
            let enough = quota_meters::drawn.ge(tokens);
            diesel::update(quota_meters::table.find(key(&undrawn.meter)).filter(enough))
                .set(quota_meters::drawn.eq(quota_meters::drawn - tokens))
                .execute(connection)
                .map(drop)
        })
    });
    returned.map_err(|error| failed(&error))
}

/// Forgets meters whose window has been over for [`METERS_KEPT`], a bounded number of them; says how many.
pub(super) fn forget(connection: &mut DbConn, now: Timestamp) -> Result<usize, StoreError> {
    let mut forgotten = 0;
    for period in Period::ALL {
        let latest = (now - past(period)).seconds();
        let is_past = || {
            quota_meters::period
                .eq(period.as_str())
                .and(quota_meters::window_start.le(latest))
        };
        let last: Option<String> = quota_meters::table
            .filter(is_past())
            .order(quota_meters::holder_id)
            .select(quota_meters::holder_id)
            .offset(FORGOTTEN_AT_A_TIME - 1)
            .first(connection)
            .optional()
            .map_err(|error| failed(&error))?;
        let gone = match last {
            None => diesel::delete(quota_meters::table.filter(is_past())).execute(connection),
            Some(last) => {
                let first_of_them = is_past().and(quota_meters::holder_id.le(last));
                diesel::delete(quota_meters::table.filter(first_of_them)).execute(connection)
            }
        };
        forgotten += gone.map_err(|error| failed(&error))?;
    }
    Ok(forgotten)
}

/// How long ago a window began that has been over for [`METERS_KEPT`].
fn past(period: Period) -> Seconds {
    period.longest() + METERS_KEPT
}
