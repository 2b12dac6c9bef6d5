//! The one async door to the store: as many callers inside as there are connections, each for so long and no longer.
//!
//! Waiting costs a future and not a thread. A caller who gives up leaves the work to finish behind the door, with its place
//! taken, so that a stalled store cannot gather threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::rt::time::timeout;
use actix_web::web;
use tokio::sync::Semaphore;

use super::{CommitError, Decide, Records, Store, StoreError};
use crate::domain::{Attribution, Change, JournalEntry};

/// Is told how long each caller waited for a place.
pub type WaitObserver = Arc<dyn Fn(Duration) + Send + Sync>;

/// How a commit ended, as far as what is remembered of the store is concerned.
#[derive(Clone, Copy, Debug)]
pub enum Settled<'a> {
    /// This was written.
    Written(&'a JournalEntry),
    /// The store failed after a change had been decided, perhaps after it had written. What failed earlier wrote nothing, and is
    /// not told.
    Unknown,
}

/// The door. Clones share the places behind it.
#[derive(Clone)]
pub struct Door {
    store: Arc<dyn Store>,
    places: Arc<Semaphore>,
    patience: Duration,
    observe_wait: WaitObserver,
}

impl Door {
    /// A door with so many `places`, in front of which nobody waits, and behind which nothing is waited for, longer than `patience`.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, places: usize, patience: Duration, observe_wait: WaitObserver) -> Self {
        Self {
            store,
            places: Arc::new(Semaphore::new(places)),
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
        read: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call(move |store| {
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
        self.call(move |store| {
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
        work: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.call_within(self.patience, work).await
    }

    /// The same for work that may take as long as `deadline`, once there is a place for it.
    ///
    /// # Errors
    /// When no place is free in time, or the work takes longer.
    pub async fn call_within<T: Send + 'static>(
        &self,
        deadline: Duration,
        work: impl FnOnce(&dyn Store) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let asked = Instant::now();
        let place = timeout(self.patience, Arc::clone(&self.places).acquire_owned())
            .await
            .map_err(|_| StoreError::Unavailable("every connection is busy".to_owned()))?
            .map_err(|_| StoreError::Unavailable("the store is shut".to_owned()))?;
        (self.observe_wait)(asked.elapsed());
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
            let patient = actix_web::rt::spawn(async move { other.call_within(Duration::from_mins(1), work).await });
            let (end_stalled, stalled) = mpsc::channel::<()>();
            let impatient = door.call(move |_| stalled.recv().is_ok()).await;
            assert!(matches!(impatient, Err(StoreError::Unavailable(_))), "{impatient:?}");
            end_stalled.send(()).unwrap();
            end_slow.send(()).unwrap();
            assert!(patient.await.unwrap().unwrap());
        });
    }
}
