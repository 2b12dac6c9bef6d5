//! One block as the requests of a replica share it: who finds nothing waits for the one draw that is on its way.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::block::{Balance, Block, News, Order, Rule, Take, Token};
use crate::domain::{Environment, Limit, Meter, MeterHolder, Period, Timestamp, Window};
use crate::store::{Asker, Door, Drawn, Return, Store, StoreError};
use crate::telemetry::{DrawResult, Metrics};

/// Whose tokens are held, and for how long they count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) holder: MeterHolder,
    pub(super) environment: Environment,
    pub(super) period: Period,
}

impl Key {
    /// The meter of one window.
    pub(super) fn meter(&self, window: Window) -> Meter {
        Meter {
            holder: self.holder.clone(),
            environment: self.environment,
            window,
        }
    }

    /// The quota it counts in.
    pub(super) const fn quota(&self) -> Limit {
        self.holder.quota(self.period)
    }
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum NoToken {
    /// They are used up until this window ends.
    Spent(Window),
    /// The store had to be asked and did not answer.
    Unavailable(StoreError),
}

/// A block and who waits for it.
pub(super) struct Holding {
    key: Key,
    inside: Mutex<Inside>,
    metrics: Arc<Metrics>,
}

struct Inside {
    block: Block,
    /// They are told whether the draw brought an answer.
    waiting: Vec<oneshot::Sender<bool>>,
}

impl Holding {
    /// Nothing is held yet.
    pub(super) fn new(key: Key, metrics: Arc<Metrics>) -> Self {
        let inside = Inside {
            block: Block::empty(key.period),
            waiting: Vec::new(),
        };
        Self {
            key,
            inside: Mutex::new(inside),
            metrics,
        }
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a token, and waits for a draw where there is none.
    pub(super) async fn take(self: &Arc<Self>, door: &Door, (rule, now): (Rule, Timestamp)) -> Result<Token, NoToken> {
        let late = || NoToken::Unavailable(StoreError::Unavailable("the quota was not drawn in time".to_owned()));
        let taking = async {
            loop {
                match self.try_take(door, (rule, now)) {
                    Ok(token) => return Ok(token),
                    Err(Short::Spent(window)) => return Err(NoToken::Spent(window)),
                    Err(Short::Drawing(drawn)) => match drawn.await {
                        Ok(true) => {}
                        Ok(false) | Err(_) => return Err(late()),
                    },
                }
            }
        };
        timeout(door.patience(), taking).await.unwrap_or_else(|_| Err(late()))
    }

    fn try_take(self: &Arc<Self>, door: &Door, (rule, now): (Rule, Timestamp)) -> Result<Token, Short> {
        let mut inside = self.inside();
        let (order, taken) = match inside.block.take(rule, now) {
            Take::Taken(token, order) => (order, Ok(token)),
            Take::Spent(window) => return Err(Short::Spent(window)),
            Take::Wait(order) => {
                let (sender, drawn) = oneshot::channel();
                inside.waiting.push(sender);
                (order, Err(Short::Drawing(drawn)))
            }
        };
        drop(inside);
        if let Some(order) = order {
            let flight = Flight {
                holding: Arc::clone(self),
                order,
                settled: false,
            };
            door.begin(Asker::Quota, move |store| flight.fly(store));
        }
        taken
    }

    /// How many are left under `limit`, and in which window; nothing where it is not known.
    pub(super) fn left_under(&self, limit: u64, now: Timestamp) -> Option<(Window, u64)> {
        self.inside().block.left_under(limit, now)
    }

    /// How many have been drawn in the window that runs now, as far as is known here.
    pub(super) fn drawn(&self, now: Timestamp) -> u64 {
        let left = self.left_under(u64::MAX, now);
        left.map_or(0, |(_, left)| u64::MAX - left)
    }

    /// Puts back a token that was not issued.
    pub(super) fn put_back(&self, token: Token) {
        self.inside().block.put_back(token);
    }

    /// Whether nothing would be lost with it.
    pub(super) fn is_empty(&self) -> bool {
        self.inside().block.is_empty()
    }

    /// Gives up what has not been touched for long.
    pub(super) fn surrender_idle(&self, now: Timestamp) -> Option<(Key, Balance)> {
        self.keyed(self.inside().block.surrender_idle(now))
    }

    /// Gives up everything there is.
    pub(super) fn surrender(&self) -> Option<(Key, Balance)> {
        self.keyed(self.inside().block.surrender())
    }

    /// Returns once no draw is on its way.
    pub(super) async fn settled(&self) {
        let (sender, drawn) = oneshot::channel();
        {
            let mut inside = self.inside();
            if !inside.block.is_drawing() {
                return;
            }
            inside.waiting.push(sender);
        }
        // Whether it brought an answer makes no difference here.
        let _ = drawn.await;
    }

    fn keyed(&self, balance: Option<Balance>) -> Option<(Key, Balance)> {
        balance.map(|balance| (self.key.clone(), balance))
    }

    fn settle(&self, order: &Order, drawn: Option<Drawn>) {
        let mut inside = self.inside();
        let news = inside.block.settle(order, drawn);
        let waiting = std::mem::take(&mut inside.waiting);
        drop(inside);
        for request in waiting {
            // A request that no longer waits has been refused already.
            let _ = request.send(drawn.is_some());
        }
        self.tell(order, drawn, news);
    }

    fn tell(&self, order: &Order, drawn: Option<Drawn>, news: News) {
        self.metrics.count_draw(match drawn {
            Some(Drawn { granted: 0, .. }) => DrawResult::Nothing,
            Some(_) => DrawResult::Granted,
            None => DrawResult::Failed,
        });
        self.metrics
            .count_beyond_quota(self.key.environment, self.key.quota(), news.beyond);
        if news.reached {
            let (holder, environment, quota) = (self.key.holder.id(), self.key.environment, self.key.quota().as_str());
            let until = order.window.end();
            log::warn!(holder, environment:% = environment, quota, until:% = until; "a quota is used up, as it was drawn to the last token");
        }
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Why a token is not there at once.
enum Short {
    Spent(Window),
    /// A draw is on its way, and tells when it has come.
    Drawing(oneshot::Receiver<bool>),
}

/// A draw on its way. It settles however it ends: whoever waits is told.
struct Flight {
    holding: Arc<Holding>,
    order: Order,
    settled: bool,
}

impl Flight {
    fn fly(mut self, store: &dyn Store) {
        let drawn = self.draw(store);
        if let Err(error) = &drawn {
            log::debug!(error:% = error; "a draw brought no answer");
        }
        self.settled = true;
        self.holding.settle(&self.order, drawn.ok());
    }

    fn draw(&self, store: &dyn Store) -> Result<Drawn, StoreError> {
        let meter = self.holding.key.meter(self.order.window);
        if self.order.surrendered > 0 {
            let meter = meter.clone();
            let tokens = self.order.surrendered;
            store.give_back(&[Return { meter, tokens }])?;
        }
        store.draw(&meter, self.order.draw)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if !self.settled {
            self.holding.settle(&self.order, None);
        }
    }
}
