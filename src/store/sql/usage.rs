//! Usage in SQL: batches are added once, sums are read in the order of the key, what is old is deleted bit by bit.
//!
//! A request is counted under its client and scope, in the sum of its partner, and in the sum of its environment. Each question is
//! answered from the rows that are broken down no further than it needs.

use std::collections::BTreeMap;

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_types::{BigInt, Text};

use super::failure::of_query;
use crate::domain::{Granularity, Outcome, SecretUse, Timestamp, TokenRefusal, UsageBatch, UsageCount};
use crate::store::connection::DbConn;
use crate::store::rows::UsageSums;
use crate::store::schema::{client_secrets, usage, usage_writers};
use crate::store::{Page, StoreError, UsageFilter, UsageGroup, UsagePlace, UsageRow};

/// How often a batch is begun again because another writer put one of its rows in place meanwhile.
const ATTEMPTS: usize = 16;
/// Of how many clients, and of how many partners, the counts of one hour, day or month are forgotten at a time.
const CLIENTS_AT_A_TIME: i64 = 500;

/// How far a row is broken down. In this order rows are written: the sums that all writers share come last and are held the shortest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Breakdown {
    Scope,
    Partner,
    Environment,
}

impl Breakdown {
    const ALL: [Self; 3] = [Self::Scope, Self::Partner, Self::Environment];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Partner => "partner",
            Self::Environment => "environment",
        }
    }

    /// The rows in which all that `filter` names still stands, broken down no further than that.
    const fn for_question(filter: &UsageFilter) -> Self {
        match (filter.group, &filter.partner_id, &filter.client_id) {
            (UsageGroup::Environment, None, None) => Self::Environment,
            (UsageGroup::Environment | UsageGroup::Partner, _, None) => Self::Partner,
            _ => Self::Scope,
        }
    }
}

/// The key of a row, its columns in the order in which rows are written.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    breakdown: Breakdown,
    granularity: Granularity,
    begins: i64,
    environment: &'static str,
    partner_id: &'a str,
    client_id: &'a str,
    scope: &'a str,
    outcome: Outcome,
}

impl<'a> Key<'a> {
    fn of(count: &'a UsageCount, granularity: Granularity, breakdown: Breakdown) -> Self {
        let partner_id = count.partner_id.as_ref().map_or("", |partner_id| partner_id.as_str());
        let scope = count.scope.as_ref().map_or("", |scope| scope.as_str());
        let (partner_id, client_id, scope) = match breakdown {
            Breakdown::Scope => (partner_id, count.client_id.as_str(), scope),
            Breakdown::Partner => (partner_id, "", ""),
            Breakdown::Environment => ("", "", ""),
        };
        Self {
            breakdown,
            granularity,
            begins: granularity.begin(count.hour).seconds(),
            environment: count.environment.as_str(),
            partner_id,
            client_id,
            scope,
            outcome: count.outcome,
        }
    }
}

/// What a batch adds to each row. In one order everywhere: two replicas that write the same rows then wait for each other but never
/// both at once.
fn additions(batch: &UsageBatch) -> BTreeMap<Key<'_>, u64> {
    let mut rows = BTreeMap::new();
    for count in &batch.counts {
        for granularity in Granularity::ALL {
            for breakdown in Breakdown::ALL {
                *rows.entry(Key::of(count, granularity, breakdown)).or_default() += count.requests;
            }
        }
    }
    rows
}

/// Adds a batch, once.
pub(super) fn record(connection: &mut DbConn, batch: &UsageBatch) -> Result<(), StoreError> {
    let rows = additions(batch);
    let mut uses: Vec<&SecretUse> = batch.uses.iter().collect();
    uses.sort_unstable_by_key(|used| (&used.secret_id, used.at));
    let mut add = || {
        connection.transaction(|connection| {
            if !begin(connection, batch)? {
                return Ok(());
            }
            rows.iter()
                .try_for_each(|(key, requests)| add(connection, key, *requests))?;
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

fn add(connection: &mut DbConn, key: &Key<'_>, requests: u64) -> QueryResult<()> {
    // The column holds less than 2^63, which nobody counts to.
    let requests = i64::try_from(requests).unwrap_or(i64::MAX);
    let row = usage::table.find((
        key.granularity.as_str(),
        key.breakdown.as_str(),
        key.begins,
        key.environment,
        key.partner_id,
        key.client_id,
        key.scope,
        key.outcome.as_str(),
    ));
    let there = diesel::update(row)
        .set(usage::requests.eq(usage::requests + requests))
        .execute(connection)?;
    if there == 0 {
        diesel::insert_into(usage::table)
            .values((
                usage::granularity.eq(key.granularity.as_str()),
                usage::broken_down_by.eq(key.breakdown.as_str()),
                usage::begins.eq(key.begins),
                usage::environment.eq(key.environment),
                usage::partner_id.eq(key.partner_id),
                usage::client_id.eq(key.client_id),
                usage::scope.eq(key.scope),
                usage::outcome.eq(key.outcome.as_str()),
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

/// Deletes the counts of some clients and partners in the oldest hour, day and month that were over at `before`, and the writers silent since.
pub(super) fn forget(connection: &mut DbConn, before: Timestamp) -> Result<u64, StoreError> {
    let deleted = connection.transaction(|connection| {
        let mut rows =
            diesel::delete(usage_writers::table.filter(usage_writers::at.lt(before.seconds()))).execute(connection)?;
        for granularity in Granularity::ALL {
            for breakdown in Breakdown::ALL {
                rows += forget_oldest(connection, (granularity, breakdown), granularity.begin(before))?;
            }
        }
        Ok(rows as u64)
    });
    deleted.map_err(|error: Error| of_query("usage", &error))
}

fn forget_oldest(
    connection: &mut DbConn,
    (granularity, breakdown): (Granularity, Breakdown),
    before: Timestamp,
) -> QueryResult<usize> {
    let of_this = usage::granularity
        .eq(granularity.as_str())
        .and(usage::broken_down_by.eq(breakdown.as_str()));
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
            .filter(usage::broken_down_by.eq(Breakdown::for_question($filter).as_str()))
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
        type EachSum = (SqlLiteral<BigInt>, ($(each_sum!(@type $refusal)),+));
        fn each_sum() -> EachSum {
            (sum("issued"), ($(sum(TokenRefusal::$refusal.as_str())),+))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SystemEntropy;
    use crate::domain::{CountedScope, Environment, UsageWriter};

    fn count(partner: &str, client: usize, scope: &str) -> UsageCount {
        UsageCount {
            hour: Timestamp::from_seconds(7200),
            environment: Environment::Qa,
            partner_id: Some(partner.parse().unwrap()),
            client_id: format!("qa-{partner}-{client}").parse().unwrap(),
            scope: Some(CountedScope::of(scope)),
            outcome: Outcome::Issued,
            requests: 2,
        }
    }

    #[test]
    fn a_sum_is_one_row_however_many_clients_add_to_it() {
        let clients = (0..100).flat_map(|client| ["acme", "globex"].map(|partner| (partner, client)));
        let counts = clients.flat_map(|(partner, client)| ["read", "write"].map(|scope| count(partner, client, scope)));
        let batch = UsageBatch {
            writer: UsageWriter::mint(&SystemEntropy::new()),
            sequence: 1,
            at: Timestamp::from_seconds(7200),
            counts: counts.collect(),
            uses: Vec::new(),
        };
        let rows = additions(&batch);
        let by_hour = |breakdown| {
            let kept = |(key, _): &(&Key<'_>, &u64)| (key.breakdown, key.granularity) == (breakdown, Granularity::Hour);
            let requests = rows.iter().filter(kept).map(|(_, requests)| *requests);
            (requests.clone().count(), requests.sum::<u64>())
        };
        assert_eq!(Breakdown::ALL.map(by_hour), [(400, 800), (2, 800), (1, 800)]);
        assert_eq!(rows.len(), 3 * (400 + 2 + 1));
    }

    #[test]
    fn a_question_reads_the_rows_that_are_broken_down_no_further_than_it_needs() {
        let read = |group, partner_id: Option<&str>, client_id: Option<&str>| {
            Breakdown::for_question(&UsageFilter {
                granularity: Granularity::Hour,
                group,
                from: Timestamp::from_seconds(0),
                until: Timestamp::from_seconds(1),
                environment: None,
                partner_id: partner_id.map(|id| id.parse().unwrap()),
                client_id: client_id.map(|id| id.parse().unwrap()),
            })
            .as_str()
        };
        assert_eq!(read(UsageGroup::Environment, None, None), "environment");
        assert_eq!(read(UsageGroup::Environment, Some("acme"), None), "partner");
        assert_eq!(read(UsageGroup::Partner, None, None), "partner");
        assert_eq!(read(UsageGroup::Partner, Some("acme"), None), "partner");
        for group in UsageGroup::ALL {
            assert_eq!(read(group, None, Some("qa-acme-1")), "scope");
        }
        assert_eq!(read(UsageGroup::Client, None, None), "scope");
        assert_eq!(read(UsageGroup::Scope, None, None), "scope");
    }
}
