//! The one async door to the store: as many inside as there are connections, each for so long and no longer.
//!
//! Waiting costs a future and not a thread. Who gives up leaves the work to finish behind the door, with its place taken, so that a
//! stalled store cannot gather threads.
//!
//! Callers of the public listener never have all the places: one is kept for operators and for the house itself, so that no flood
//! of look-ups keeps a revocation out. Nor do look-ups have all that callers have: one is kept for draws of quotas, so that a flood
//! of made-up ids refuses nobody whose tokens are counted; and the other way round.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use actix_web::rt::time::timeout;
use actix_web::web;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

use super::{CommitError, Decide, Records, Store, StoreError};
use crate::domain::{Actor, Attribution, Change, JournalEntry};

/// Is told how long each caller waited for a place.
pub type WaitObserver = Arc<dyn Fn(Duration) + Send + Sync>;

/// For whom something is done behind the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// Somebody at the public listener asks. They have all the places but two, where there are three or more.
    Caller,
    /// Tokens of a quota are drawn for a client that was authenticated from memory. As many places as for callers, one of them not theirs.
    Quota,
    /// A client revokes its own token. One at a time: commits wait for each other anyhow, and look-ups go on meanwhile.
    Client,
    /// An operator, or the house itself. They have every place.
    House,
}

impl Asker {
    /// On whose behalf `actor` commits.
    const fn of_commit(actor: &Actor) -> Self {
        match actor {
            Actor::Client(_) => Self::Client,
            Actor::Operator(..) | Actor::Server | Actor::CommandLine => Self::House,
        }
    }
}

/// How a commit ended, as far as what is remembered of the store is concerned.
#[derive(Clone, Copy, Debug)]
pub enum Settled<'a> {
    /// This was written.
    Written(&'a JournalEntry),
    /// The store failed after a change had been decided, perhaps after it had written. What failed earlier wrote nothing, and is
    /// not told.
    Unknown,
}

/// The places behind the door.
#[derive(Clone)]
struct Places {
    all: Arc<Semaphore>,
    for_the_public: Arc<Semaphore>,
    for_callers: Arc<Semaphore>,
    for_draws: Arc<Semaphore>,
    for_client_commits: Arc<Semaphore>,
}

/// A place that is taken, until it is dropped, and the gates on the way to it.
struct Taken {
    _place: OwnedSemaphorePermit,
    _gates: Vec<OwnedSemaphorePermit>,
}

impl Places {
    fn new(places: usize) -> Self {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Self {
            all: semaphore(places),
            for_the_public: semaphore(places.saturating_sub(1).max(1)),
            for_callers: semaphore(places.saturating_sub(2).max(1)),
            for_draws: semaphore(places.saturating_sub(2).max(1)),
            for_client_commits: semaphore(1),
        }
    }

    /// Waits for a place. Whoever waits for a narrower gate holds nothing of the wider ones.
    async fn take(&self, asker: Asker) -> Result<Taken, AcquireError> {
        let mut gates = Vec::with_capacity(3);
        for gate in self.gates(asker) {
            gates.push(Arc::clone(gate).acquire_owned().await?);
        }
        Ok(Taken {
            _place: Arc::clone(&self.all).acquire_owned().await?,
            _gates: gates,
        })
    }

    /// The narrowest first.
    fn gates(&self, asker: Asker) -> impl Iterator<Item = &Arc<Semaphore>> {
        let gates = match asker {
            Asker::House => [None, None, None],
            Asker::Caller => [None, Some(&self.for_callers), Some(&self.for_the_public)],
            Asker::Quota => [None, Some(&self.for_draws), Some(&self.for_the_public)],
            Asker::Client => [
                Some(&self.for_client_commits),
                Some(&self.for_callers),
                Some(&self.for_the_public),
            ],
        };
        gates.into_iter().flatten()
    }
}

/// The door. Clones share the places behind it.
#[derive(Clone)]
pub struct Door {
    store: Arc<dyn Store>,
    places: Places,
    patience: Duration,
    observe_wait: WaitObserver,
}

impl Door {
    /// A door with so many `places`, in front of which nobody waits, and behind which nothing is waited for, longer than `patience`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, places: usize, patience: Duration, observe_wait: WaitObserver) -> Self {
        Self {
            store,
            places: Places::new(places),
            patience,
            observe_wait,
        }
    }

    /// The store itself, for threads that may block.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// The longest anybody waits in front of it, and the longest for what is done behind it.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Reads.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn read<T: Send + 'static>(
        &self,
        asker: Asker,
        read: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(asker, move |store| {
            let (mut read, mut answer) = (Some(read), None);
            store.read(&mut |records| {
                let read = read
                    .take()
                    .ok_or_else(|| StoreError::Corrupt("a read was begun twice".to_owned()))?;
                answer = Some(read(records)?);
                Ok(())
            })?;
            answer.ok_or_else(|| StoreError::Corrupt("a read ended without an answer".to_owned()))
        })
        .await?
    }

    /// Commits what `decide` decides. `settle` is told how it ended on the thread that wrote it, whether or not anybody still waits; it is not
    /// told of what changed nothing.
    ///
    /// # Errors
    /// When `decide` refuses, or the store does not answer in time; whether the change was made is then unknown.
    pub async fn commit<T: Send + 'static>(
        &self,
        attribution: Attribution,
        mut decide: impl FnMut(&mut dyn Records) -> Result<(Option<Change>, T), CommitError> + Send + 'static,
        settle: impl FnOnce(Settled<'_>) + Send + 'static,
    ) -> Result<(Option<JournalEntry>, T), CommitError> {
        let asker = Asker::of_commit(&attribution.actor);
        self.call(asker, move |store| {
            let (mut answer, mut decided) = (None, false);
            let decide: &mut Decide<'_> = &mut |records| {
                let (change, value) = decide(records)?;
                decided = change.is_some();
                answer = Some(value);
                Ok(change)
            };
            let entry = store.commit(&attribution, decide);
            match &entry {
                Ok(Some(entry)) => settle(Settled::Written(entry)),
                Err(CommitError::Store(_)) if decided => settle(Settled::Unknown),
                Ok(None) | Err(CommitError::Store(_) | CommitError::Refused(_)) => {}
            }
            let entry = entry?;
            let answer = answer.ok_or_else(|| StoreError::Corrupt("a commit ended without a decision".to_owned()))?;
            Ok((entry, answer))
        })
        .await?
    }

    /// Does `work` on a thread that may block.
    ///
    /// # Errors
    /// When no place is free in time, or the work takes too long.
    pub async fn call<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call_within((asker, self.patience), work).await
    }

    /// Begins `work` and waits for nothing of it: it goes on when whoever began it has gone. Where no place is free in time it is
    /// dropped undone.
    pub fn begin(&self, asker: Asker, work: impl FnOnce(&dyn Store) + Send + 'static) {
        let door = self.clone();
        drop(spawn(async move { door.call(asker, work).await }));
    }

    /// The same for work that may take as long as `deadline`, once there is a place for it.
    ///
    /// # Errors
    /// When no place is free in time, or the work takes longer.
    pub async fn call_within<T: Send + 'static>(
        &self,
        (asker, deadline): (Asker, Duration),
        work: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let since = Instant::now();
        let place = timeout(self.patience, self.places.take(asker))
            .await
            .map_err(|_| StoreError::Unavailable("every connection is busy".to_owned()))?
            .map_err(|_| StoreError::Unavailable("the store is shut".to_owned()))?;
        (self.observe_wait)(since.elapsed());
        let store = Arc::clone(&self.store);
        #[expect(clippy::disallowed_methods, reason = "this is the door")]
        let done = web::block(move || {
            let value = work(&*store);
            drop(place);
            value
        });
        timeout(deadline, done)
            .await
            .map_err(|_| StoreError::Unavailable("no answer in time".to_owned()))?
            .map_err(|_| StoreError::Unavailable("the work was given up".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::store::MemoryStore;

    #[test]
    fn work_with_a_deadline_of_its_own_outlasts_the_patience_with_the_store() {
        let patience = Duration::from_millis(20);
        let door = Door::new(Arc::new(MemoryStore::default()), 2, patience, Arc::new(|_| ()));
        actix_web::rt::System::new().block_on(async {
            let (end_slow, slow) = mpsc::channel::<()>();
            let other = door.clone();
            let work = move |_: &dyn Store| slow.recv().is_ok();
            let patient =
                actix_web::rt::spawn(
                    async move { other.call_within((Asker::House, Duration::from_mins(1)), work).await },
                );
            let (end_stalled, stalled) = mpsc::channel::<()>();
            let impatient = door.call(Asker::House, move |_| stalled.recv().is_ok()).await;
            assert!(matches!(impatient, Err(StoreError::Unavailable(_))), "{impatient:?}");
            end_stalled.send(()).unwrap();
            end_slow.send(()).unwrap();
            assert!(patient.await.unwrap().unwrap());
        });
    }
    /// Work that lasts until it is told to end, and what tells it.
    fn stalled() -> (mpsc::Sender<()>, impl FnOnce(&dyn Store) -> bool + Send + 'static) {
        let (end, ended) = mpsc::channel();
        (end, move |_: &dyn Store| ended.recv().is_ok())
    }

    /// Whether somebody gets through at once.
    async fn passes(door: &Door, asker: Asker) -> bool {
        match door.call(asker, |_| true).await {
            Ok(passed) => passed,
            Err(StoreError::Unavailable(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// So many ask for what does not end until these are dropped.
    async fn flood(door: &Door, (asker, count): (Asker, usize)) -> Vec<mpsc::Sender<()>> {
        let begin = |_| {
            let (end, work) = stalled();
            let door = door.clone();
            actix_web::rt::spawn(async move { door.call_within((asker, Duration::from_mins(1)), work).await });
            end
        };
        let flood = (0..count).map(begin).collect();
        tokio::task::yield_now().await;
        flood
    }

    #[test]
    fn a_flood_of_callers_leaves_a_place_for_operators_one_for_draws_and_one_for_look_ups() {
        let patience = Duration::from_millis(200);
        let door = Door::new(Arc::new(MemoryStore::default()), 4, patience, Arc::new(|_| ()));
        actix_web::rt::System::new().block_on(async {
            let commits = flood(&door, (Asker::Client, 20)).await;
            assert!(passes(&door, Asker::Caller).await, "one client commits at a time");

            let look_ups = flood(&door, (Asker::Caller, 20)).await;
            assert!(!passes(&door, Asker::Caller).await, "the callers' places are held");
            assert!(passes(&door, Asker::Quota).await, "one is for draws");

            let draws = flood(&door, (Asker::Quota, 20)).await;
            assert!(!passes(&door, Asker::Quota).await);
            assert!(passes(&door, Asker::House).await, "the last place is the operators'");
            drop((commits, look_ups, draws));
        });
    }

    #[test]
    fn a_flood_of_draws_leaves_a_place_for_look_ups() {
        let patience = Duration::from_millis(200);
        let door = Door::new(Arc::new(MemoryStore::default()), 3, patience, Arc::new(|_| ()));
        actix_web::rt::System::new().block_on(async {
            let draws = flood(&door, (Asker::Quota, 20)).await;
            assert!(passes(&door, Asker::Caller).await);
            assert!(passes(&door, Asker::House).await);
            drop(draws);
        });
    }

    #[test]
    fn a_door_with_one_place_serves_everybody_in_turn() {
        let door = Door::new(
            Arc::new(MemoryStore::default()),
            1,
            Duration::from_secs(5),
            Arc::new(|_| ()),
        );
        actix_web::rt::System::new().block_on(async {
            for asker in [Asker::Caller, Asker::Quota, Asker::Client, Asker::House] {
                assert!(door.call(asker, |_| true).await.unwrap());
            }
        });
    }
}
