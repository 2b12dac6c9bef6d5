//! Usage in memory: the counts of hours, days and months, and which batches they hold.

use std::collections::{BTreeMap, HashMap};

use super::Shelves;
use crate::domain::{ClientSecret, Granularity, Outcome, Timestamp, UsageBatch, UsageCount, UsageWriter};
use crate::store::{Page, UsageFilter, UsageGroup, UsagePlace, UsageRow};

impl Shelves {
    pub(super) fn record_usage(&mut self, batch: &UsageBatch) {
        if !self.usage.record(batch) {
            return;
        }
        for used in &batch.uses {
            let later =
                |secret: &&mut ClientSecret| secret.secret_id == used.secret_id && secret.last_used_at < Some(used.at);
            if let Some(secret) = self.secrets.iter_mut().find(later) {
                secret.last_used_at = Some(used.at);
                secret.last_used_source = Some(used.source.to_canonical());
            }
        }
    }
}

/// What was counted.
#[derive(Clone, Default)]
pub(super) struct Counted {
    /// How many requests ended so, by what they were about.
    rows: HashMap<(Granularity, UsagePlace, Outcome), u64>,
    /// The last batch of each writer, and when the last of it happened.
    writers: HashMap<UsageWriter, (i64, Timestamp)>,
}

impl Counted {
    /// Adds a batch; `false` when it was added before.
    pub(super) fn record(&mut self, batch: &UsageBatch) -> bool {
        let known = self.writers.get(&batch.writer);
        if known.is_some_and(|(sequence, _)| *sequence >= batch.sequence) {
            return false;
        }
        self.writers.insert(batch.writer.clone(), (batch.sequence, batch.at));
        for count in &batch.counts {
            for granularity in Granularity::ALL {
                let key = (granularity, place(granularity, count), count.outcome);
                *self.rows.entry(key).or_default() += count.requests;
            }
        }
        true
    }

    /// Forgets what was over at `before`; says how many rows went.
    pub(super) fn forget(&mut self, before: Timestamp) -> u64 {
        let rows = self.rows.len() + self.writers.len();
        self.rows
            .retain(|(granularity, place, _), _| place.begins >= granularity.begin(before));
        self.writers.retain(|_, (_, at)| *at >= before);
        (rows - self.rows.len() - self.writers.len()) as u64
    }

    /// The rows that `filter` asks for.
    pub(super) fn rows(&self, filter: &UsageFilter, page: &Page<UsagePlace>) -> Vec<UsageRow> {
        let admitted = self.rows.iter().filter(|((granularity, place, _), _)| {
            *granularity == filter.granularity
                && (filter.from..filter.until).contains(&place.begins)
                && filter
                    .environment
                    .is_none_or(|environment| place.environment == environment)
                && (filter.partner_id.is_none() || place.partner_id == filter.partner_id)
                && (filter.client_id.is_none() || place.client_id == filter.client_id)
        });
        let mut sums: BTreeMap<_, UsageRow> = BTreeMap::new();
        for ((_, place, outcome), requests) in admitted {
            let place = summed(place, filter.group);
            let (begins, environment, partner_id, client_id, scope) = place.rank();
            let rank = (
                begins,
                environment.to_owned(),
                partner_id.to_owned(),
                client_id.to_owned(),
                scope.to_owned(),
            );
            let row = sums.entry(rank).or_insert_with(|| UsageRow::empty(place));
            row.add(*outcome, *requests);
        }
        let beyond = |row: &UsageRow| page.after.as_ref().is_none_or(|after| row.place.rank() > after.rank());
        sums.into_values()
            .filter(beyond)
            .take(usize::from(page.limit))
            .collect()
    }
}

fn place(granularity: Granularity, count: &UsageCount) -> UsagePlace {
    UsagePlace {
        begins: granularity.begin(count.hour),
        environment: count.environment,
        partner_id: count.partner_id.clone(),
        client_id: Some(count.client_id.clone()),
        scope: count.scope.clone(),
    }
}

/// Where a row counts that is broken down no further than `group`.
fn summed(place: &UsagePlace, group: UsageGroup) -> UsagePlace {
    let mut place = place.clone();
    if group < UsageGroup::Scope {
        place.scope = None;
    }
    if group < UsageGroup::Client {
        place.client_id = None;
    }
    if group < UsageGroup::Partner {
        place.partner_id = None;
    }
    place
}
