//! Quotas: so many tokens in a day and in a month, for a client and for all of its partner's, over all replicas together.
//!
//! Each replica draws blocks of the budget from the store and hands tokens out of them, so that a token asks the store nothing and
//! writes nothing. What is drawn is counted there before anything of it is issued: a replica that dies loses what it held until the
//! window ends, and nothing is ever issued twice. Where only the count is wanted, nobody waits: what is issued before the store
//! knows is counted with the next draw.

mod block;
mod holding;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use self::block::{Balance, Rule, Token};
use self::holding::{Holding, Key, NoToken};
use super::held::Held;
use super::limits::{Exceeded, Policy, Remainder};
use super::{KnownClient, RegisteredClient, Registry};
use crate::domain::{Limit, Limits, MeterHolder, PartnerId, QuotaMode, Timestamp, Window};
use crate::store::{Asker, Door, Draw, Return, Store, StoreError};
use crate::telemetry::Metrics;

/// A client's and its partner's, a day's and a month's.
const MOST_QUOTAS: usize = 4;
/// How many balances are told in one piece of work.
const BALANCES_AT_A_TIME: usize = 200;
/// The longest a caller is told to wait. The limit may be raised long before a month ends.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// One quota that a client's tokens count in.
#[derive(Debug)]
struct Counted {
    holding: Arc<Holding>,
    rule: Rule,
}

/// The quotas that a client's tokens count in; none for most.
#[derive(Clone, Debug, Default)]
pub struct Quotas(Option<Arc<[Counted]>>);

impl Quotas {
    /// What is left of each, where it is enforced and this replica knows it: what the store had when it was last asked, less what was
    /// issued here since. What other replicas hold is not in it, and what they have drawn since is not known.
    pub fn left(&self, now: Timestamp) -> impl Iterator<Item = Remainder> {
        let quotas = self.0.iter().flat_map(|quotas| quotas.iter());
        quotas.filter_map(move |quota| match quota.rule {
            Rule::Enforced(limit) => {
                let (window, remaining) = quota.holding.left_under(limit, now)?;
                let policy = policy(quota.holding.key().quota(), (limit, window));
                Some(Remainder { policy, remaining })
            }
            Rule::Observed(_) => None,
        })
    }
}

/// Why no token may be issued.
#[derive(Debug, Error)]
pub enum QuotaError {
    /// A quota is used up.
    #[error(transparent)]
    Exceeded(#[from] Exceeded),
    /// The store had to be asked and did not answer.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// One token of every quota that applies. Whatever is not [kept](Spending::keep) goes back.
#[must_use]
pub struct Spending {
    quotas: Option<Arc<[Counted]>>,
    taken: [Option<Token>; MOST_QUOTAS],
}

impl Spending {
    /// The token was issued.
    pub fn keep(mut self) {
        self.quotas = None;
    }
}

impl Drop for Spending {
    fn drop(&mut self) {
        let quotas = self.quotas.iter().flat_map(|quotas| quotas.iter());
        for (quota, token) in quotas.zip(self.taken) {
            if let Some(token) = token {
                quota.holding.put_back(token);
            }
        }
    }
}

/// What this replica holds of every quota.
pub(super) struct QuotaTable {
    door: Door,
    metrics: Arc<Metrics>,
    holdings: Held<Key, Holding>,
}

impl QuotaTable {
    /// Nothing is held yet.
    pub(super) fn new(door: Door, metrics: Arc<Metrics>) -> Self {
        Self {
            door,
            metrics,
            holdings: Held::new(Holding::is_empty),
        }
    }

    /// The quotas of a client within these limits. The client's own come first, so that a client beyond them takes nothing from
    /// the others, not even for a moment.
    pub(super) fn of(&self, client: &KnownClient, limits: Option<&Limits>) -> Quotas {
        let Some(limits) = limits else {
            return Quotas::default();
        };
        let rule = match limits.quota_mode {
            QuotaMode::Off => return Quotas::default(),
            QuotaMode::Observe => Rule::Observed,
            QuotaMode::Enforce => Rule::Enforced,
        };
        let holders = [
            (MeterHolder::Client(client.client_id.clone()), &limits.client),
            (MeterHolder::Partner(limits.payer.clone()), &limits.partner),
        ];
        let mut quotas = Vec::new();
        for (holder, allowance) in holders {
            for (period, limit) in allowance.quotas() {
                let key = Key {
                    holder: holder.clone(),
                    environment: client.environment,
                    period,
                };
                quotas.push(Counted {
                    holding: self.holding(key),
                    rule: rule(limit),
                });
            }
        }
        Quotas((!quotas.is_empty()).then(|| quotas.into()))
    }

    fn holding(&self, key: Key) -> Arc<Holding> {
        let make = |key: &Key| Holding::new(key.clone(), Arc::clone(&self.metrics));
        self.holdings.hold(key, make)
    }

    fn busiest_partners(&self, now: Timestamp, most: usize) -> Vec<PartnerId> {
        let mut drawn: HashMap<PartnerId, u64> = HashMap::new();
        for holding in self.holdings.all() {
            if let MeterHolder::Partner(partner_id) = &holding.key().holder {
                let most_drawn = drawn.entry(partner_id.clone()).or_default();
                *most_drawn = holding.drawn(now).max(*most_drawn);
            }
        }
        let mut busiest: Vec<(PartnerId, u64)> = drawn.into_iter().filter(|(_, drawn)| *drawn > 0).collect();
        busiest.sort_unstable_by(|(one_id, one), (other_id, other)| other.cmp(one).then_with(|| one_id.cmp(other_id)));
        busiest.truncate(most);
        busiest.into_iter().map(|(partner_id, _)| partner_id).collect()
    }

    /// Takes one token from every quota, or from none.
    async fn spend(&self, quotas: &Quotas, now: Timestamp) -> Result<Spending, QuotaError> {
        let mut spending = Spending {
            quotas: quotas.0.clone(),
            taken: [None; MOST_QUOTAS],
        };
        let all = quotas.0.iter().flat_map(|quotas| quotas.iter());
        for (place, quota) in all.enumerate() {
            let taken = quota.holding.take(&self.door, (quota.rule, now)).await;
            spending.taken[place] = Some(taken.map_err(|none| refused((quota, now), none))?);
        }
        Ok(spending)
    }

    /// Gives back what has lain untouched for ten minutes, and what was held for clients that are no longer remembered.
    async fn give_back_idle(&self, now: Timestamp) -> Result<(), StoreError> {
        let forgotten = self.holdings.take_unheld();
        let forgotten = forgotten.iter().filter_map(|held| held.surrender());
        let held = self.holdings.all();
        let idle = held.iter().filter_map(|held| held.surrender_idle(now));
        self.balance(forgotten.chain(idle).collect()).await
    }

    /// Gives back everything, at the end, once the draws that are on their way have come.
    async fn give_back_all(&self) -> Result<(), StoreError> {
        let all = self.holdings.all();
        let come = async {
            for held in &all {
                held.settled().await;
            }
        };
        // One that does not come in time brings what is lost until its window ends.
        let _ = timeout(self.door.patience(), come).await;
        self.balance(all.iter().filter_map(|held| held.surrender()).collect())
            .await
    }

    /// Tells the store, once: what went under in an answer that was lost may have arrived, and stays lost until its window ends if it
    /// has not.
    async fn balance(&self, balances: Vec<(Key, Balance)>) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for piece in balances.chunks(BALANCES_AT_A_TIME) {
            let piece = piece.to_vec();
            let told = self.door.call(Asker::House, move |store| tell(store, &piece));
            outcome = outcome.and(told.await.and_then(|told| told));
        }
        outcome
    }
}

fn tell(store: &dyn Store, balances: &[(Key, Balance)]) -> Result<(), StoreError> {
    let mut returns = Vec::new();
    for (key, balance) in balances {
        match *balance {
            Balance::Undrawn(window, tokens) => returns.push(Return {
                meter: key.meter(window),
                tokens,
            }),
            Balance::Uncounted(window, tokens) => {
                store.draw(&key.meter(window), Draw::counting(tokens))?;
            }
        }
    }
    store.give_back(&returns)
}

impl Registry {
    /// Takes one token from every quota of a client, over all replicas together, or from none. What is not
    /// [kept](Spending::keep) goes back.
    ///
    /// # Errors
    /// When a quota is used up, or the store had to be asked and did not answer in time.
    pub async fn spend(&self, client: &RegisteredClient, now: Timestamp) -> Result<Spending, QuotaError> {
        self.quotas.spend(&client.quotas, now).await
    }

    /// The partners of whose quotas most has been drawn in the windows that run now, as far as this replica knows: so many at the most.
    #[must_use]
    pub fn busiest_partners(&self, now: Timestamp, most: usize) -> Vec<PartnerId> {
        self.quotas.busiest_partners(now, most)
    }

    /// Gives back tokens of quotas that were drawn and have lain here for long.
    ///
    /// # Errors
    /// When the store does not answer in time; what was on its way back is lost until its window ends.
    pub async fn give_back_idle(&self, now: Timestamp) -> Result<(), StoreError> {
        self.quotas.give_back_idle(now).await
    }

    /// Gives back all tokens of quotas that were drawn and not issued, at the end.
    ///
    /// # Errors
    /// As [`Registry::give_back_idle`].
    pub async fn give_back_all(&self) -> Result<(), StoreError> {
        self.quotas.give_back_all().await
    }
}

fn refused((quota, now): (&Counted, Timestamp), none: NoToken) -> QuotaError {
    match none {
        NoToken::Spent(window) => exceeded(quota.holding.key().quota(), (quota.rule.number(), window), now).into(),
        NoToken::Unavailable(error) => error.into(),
    }
}

fn exceeded(limit: Limit, (quota, window): (u64, Window), now: Timestamp) -> Exceeded {
    Exceeded {
        limit,
        policy: Some(policy(limit, (quota, window))),
        wait: Duration::from_secs(seconds(now, window.end())).min(LONGEST_WAIT),
    }
}

fn policy(limit: Limit, (quota, window): (u64, Window)) -> Policy {
    Policy {
        limit,
        quota,
        window: seconds(window.start(), window.end()),
    }
}

fn seconds(start: Timestamp, end: Timestamp) -> u64 {
    u64::from(end.since(start).get())
}

#[cfg(test)]
mod tests;
