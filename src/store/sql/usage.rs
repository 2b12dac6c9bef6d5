//! Usage in SQL: batches are added once, sums are read in the order of the key, what is old is deleted bit by bit.

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Text};

use super::failure::of_query;
use crate::domain::{Granularity, SecretUse, Timestamp, TokenRefusal, UsageBatch, UsageCount};
use crate::store::connection::DbConn;
use crate::store::rows::UsageSums;
use crate::store::schema::{client_secrets, usage, usage_writers};
use crate::store::{Page, StoreError, UsageFilter, UsageGroup, UsagePlace, UsageRow};

/// How often a batch is begun again because another writer put one of its rows in place meanwhile.
const ATTEMPTS: usize = 16;
/// Of how many clients the counts of one hour, day or month are forgotten at a time.
const CLIENTS_AT_A_TIME: i64 = 500;

/// Adds a batch, once.
pub(super) fn record(connection: &mut DbConn, batch: &UsageBatch) -> Result<(), StoreError> {
    // In one order everywhere: two replicas that write the same rows then wait for each other but never both at once.
    let mut counts: Vec<(Granularity, &UsageCount)> = Granularity::ALL
        .into_iter()
        .flat_map(|granularity| batch.counts.iter().map(move |count| (granularity, count)))
        .collect();
    counts.sort_unstable();
    let mut uses: Vec<&SecretUse> = batch.uses.iter().collect();
    uses.sort_unstable_by_key(|used| (&used.secret_id, used.at));
    let mut add = || {
        connection.transaction(|connection| {
            if !begin(connection, batch)? {
                return Ok(());
            }
            counts
                .iter()
                .try_for_each(|(granularity, count)| add(connection, *granularity, count))?;
            uses.iter().try_for_each(|used| note(connection, used))
        })
    };
    for _ in 0..ATTEMPTS {
        match add() {
            // Another writer put the same row in place, and has committed: this time it is found there.
            Err(Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {}
            other => return other.map_err(|error| of_query("usage", &error)),
        }
    }
    Err(StoreError::Unavailable(
        "the rows to count in changed again each time".to_owned(),
    ))
}

/// Whether this batch is to be added. Takes the writer's row, so that the same batch sent twice waits here for itself.
fn begin(connection: &mut DbConn, batch: &UsageBatch) -> QueryResult<bool> {
    let (writer, at) = (batch.writer.as_str(), batch.at.seconds());
    let ours = usage_writers::table.find(writer);
    let next = diesel::update(ours.filter(usage_writers::sequence.lt(batch.sequence)))
        .set((usage_writers::sequence.eq(batch.sequence), usage_writers::at.eq(at)))
        .execute(connection)?;
    if next > 0 {
        return Ok(true);
    }
    let known: i64 = ours.count().get_result(connection)?;
    if known > 0 {
        return Ok(false);
    }
    diesel::insert_into(usage_writers::table)
        .values((
            usage_writers::writer.eq(writer),
            usage_writers::sequence.eq(batch.sequence),
            usage_writers::at.eq(at),
        ))
        .execute(connection)?;
    Ok(true)
}

fn add(connection: &mut DbConn, granularity: Granularity, count: &UsageCount) -> QueryResult<()> {
    let begins = granularity.begin(count.hour).seconds();
    let partner_id = count.partner_id.as_ref().map_or("", |partner_id| partner_id.as_str());
    let scope = count.scope.as_ref().map_or("", |scope| scope.as_str());
    // The column holds less than 2^63, which nobody counts to.
    let requests = i64::try_from(count.requests).unwrap_or(i64::MAX);
    let key = (
        granularity.as_str(),
        begins,
        count.environment.as_str(),
        partner_id,
        count.client_id.as_str(),
        scope,
        count.outcome.as_str(),
    );
    let there = diesel::update(usage::table.find(key))
        .set(usage::requests.eq(usage::requests + requests))
        .execute(connection)?;
    if there == 0 {
        diesel::insert_into(usage::table)
            .values((
                usage::granularity.eq(key.0),
                usage::begins.eq(begins),
                usage::environment.eq(key.2),
                usage::partner_id.eq(partner_id),
                usage::client_id.eq(key.4),
                usage::scope.eq(scope),
                usage::outcome.eq(key.6),
                usage::requests.eq(requests),
            ))
            .execute(connection)?;
    }
    Ok(())
}

fn note(connection: &mut DbConn, used: &SecretUse) -> QueryResult<()> {
    let at = used.at.seconds();
    let earlier = client_secrets::last_used_at
        .is_null()
        .or(client_secrets::last_used_at.lt(at));
    diesel::update(client_secrets::table.find(used.secret_id.as_str()).filter(earlier))
        .set((
            client_secrets::last_used_at.eq(at),
            client_secrets::last_used_source.eq(used.source.to_canonical().to_string()),
        ))
        .execute(connection)
        .map(drop)
}

/// Deletes the counts of some clients in the oldest hour, day and month that were over at `before`, and the writers silent since.
pub(super) fn forget(connection: &mut DbConn, before: Timestamp) -> Result<u64, StoreError> {
    let deleted = connection.transaction(|connection| {
        let mut rows =
            diesel::delete(usage_writers::table.filter(usage_writers::at.lt(before.seconds()))).execute(connection)?;
        for granularity in Granularity::ALL {
            rows += forget_oldest(connection, granularity, granularity.begin(before))?;
        }
        Ok(rows as u64)
    });
    deleted.map_err(|error: Error| of_query("usage", &error))
}

fn forget_oldest(connection: &mut DbConn, granularity: Granularity, before: Timestamp) -> QueryResult<usize> {
    let of_this = usage::granularity.eq(granularity.as_str());
    let oldest = usage::table
        .filter(of_this)
        .filter(usage::begins.lt(before.seconds()))
        .order(usage::begins)
        .select(usage::begins)
        .first::<i64>(connection)
        .optional()?;
    let Some(oldest) = oldest else { return Ok(0) };
    let of_then = of_this.and(usage::begins.eq(oldest));
    let mut clients: Vec<(String, String, String)> = usage::table
        .filter(of_then)
        .order((usage::environment, usage::partner_id, usage::client_id))
        .select((usage::environment, usage::partner_id, usage::client_id))
        .limit(CLIENTS_AT_A_TIME)
        .load(connection)?;
    clients.dedup();
    let mut rows = 0;
    for (environment, partner_id, client_id) in clients {
        let of_client = usage::environment
            .eq(environment)
            .and(usage::partner_id.eq(partner_id))
            .and(usage::client_id.eq(client_id));
        rows += diesel::delete(usage::table.filter(of_then).filter(of_client)).execute(connection)?;
    }
    Ok(rows)
}

/// The sum of the requests that ended in one way. The word is one of ours.
fn sum(outcome: &str) -> SqlLiteral<BigInt> {
    diesel::dsl::sql(&format!(
        "CAST(SUM(CASE WHEN outcome = '{outcome}' THEN requests ELSE 0 END) AS BIGINT)"
    ))
}

/// A column that is not broken down.
fn none() -> SqlLiteral<Text> {
    diesel::dsl::sql("''")
}

/// Beyond the row `after`, in the order of the columns. The first comparison alone tells the engine where to begin.
macro_rules! beyond {
    ($after:expr, $first:ident $(, $column:ident)*) => {
        usage::$first.ge($after.$first.clone()).and(beyond!(@ $after, $first $(, $column)*))
    };
    (@ $after:expr, $last:ident) => { usage::$last.gt($after.$last.clone()) };
    (@ $after:expr, $first:ident $(, $column:ident)+) => {
        usage::$first
            .gt($after.$first.clone())
            .or(usage::$first.eq($after.$first.clone()).and(beyond!(@ $after $(, $column)+)))
    };
}

/// The sums of a filter, grouped by columns that begin the key; each in the place it has in a row.
macro_rules! sums {
    ($connection:ident, $filter:ident, $page:ident, ($($column:ident),+), $shown:expr) => {{
        let mut query = usage::table
            .group_by(($(usage::$column),+))
            .select(($shown, each_sum()))
            .into_boxed();
        query = query
            .filter(usage::granularity.eq($filter.granularity.as_str()))
            .filter(usage::begins.ge($filter.from.seconds()))
            .filter(usage::begins.lt($filter.until.seconds()));
        if let Some(environment) = $filter.environment {
            query = query.filter(usage::environment.eq(environment.as_str()));
        }
        if let Some(partner_id) = &$filter.partner_id {
            query = query.filter(usage::partner_id.eq(partner_id.as_str()));
        }
        if let Some(client_id) = &$filter.client_id {
            query = query.filter(usage::client_id.eq(client_id.as_str()));
        }
        if let Some(after) = $page.after.as_ref().map(After::from) {
            query = query.filter(beyond!(after, $($column),+));
        }
        query
            .order(($(usage::$column.asc()),+))
            .limit($page.limit.into())
            .load::<UsageSums>($connection)
    }};
}

/// The columns of the row after which a page begins.
struct After {
    begins: i64,
    environment: &'static str,
    partner_id: String,
    client_id: String,
    scope: String,
}

impl From<&UsagePlace> for After {
    fn from(place: &UsagePlace) -> Self {
        let (begins, _, partner_id, client_id, scope) = place.rank();
        Self {
            begins,
            environment: place.environment.as_str(),
            partner_id: partner_id.to_owned(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
        }
    }
}

/// One sum for what was issued, and one for each refusal, in the order of [`TokenRefusal::ALL`].
macro_rules! each_sum {
    ($($refusal:ident),+) => {
        type EachSum = (SqlLiteral<BigInt>, $(each_sum!(@type $refusal)),+);
        fn each_sum() -> EachSum {
            (sum("issued"), $(sum(TokenRefusal::$refusal.as_str())),+)
        }
    };
    (@type $refusal:ident) => { SqlLiteral<BigInt> };
}
each_sum!(
    WrongSecret,
    SecretOutsideWindow,
    Inactive,
    WrongMethod,
    WrongSource,
    Limited,
    InvalidRequest,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    Unavailable
);

/// The rows that `filter` asks for. The columns of every group begin the key, so the engine reads them in order and stops with the page.
pub(super) fn read(
    connection: &mut DbConn,
    filter: &UsageFilter,
    page: &Page<UsagePlace>,
) -> Result<Vec<UsageRow>, StoreError> {
    let (begins, environment, partner_id) = (usage::begins, usage::environment, usage::partner_id);
    let (client_id, scope) = (usage::client_id, usage::scope);
    let sums = match filter.group {
        UsageGroup::Environment => sums!(
            connection,
            filter,
            page,
            (begins, environment),
            (begins, environment, none(), none(), none())
        ),
        UsageGroup::Partner => sums!(
            connection,
            filter,
            page,
            (begins, environment, partner_id),
            (begins, environment, partner_id, none(), none())
        ),
        UsageGroup::Client => sums!(
            connection,
            filter,
            page,
            (begins, environment, partner_id, client_id),
            (begins, environment, partner_id, client_id, none())
        ),
        UsageGroup::Scope => sums!(
            connection,
            filter,
            page,
            (begins, environment, partner_id, client_id, scope),
            (begins, environment, partner_id, client_id, scope)
        ),
    };
    let sums = sums.map_err(|error| of_query("usage", &error))?;
    sums.into_iter().map(UsageRow::try_from).collect()
}
