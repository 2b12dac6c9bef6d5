//! What this replica remembers, and how it knows that it is still true.
//!
//! [`Registry::fresh`] is the barrier every token and introspection request passes: behind it, all that was committed anywhere
//! before the request arrived has been applied here. The [`View`] it gives is the only way to the remembered clients and keys.
//! [`Registry::commit`] is the only way to change anything.

mod alike;
mod apis;
mod beats;
mod cache;
mod changes;
mod failures;
mod held;
mod keyring;
mod limits;
mod notices;
mod pulse;
mod quota;
mod registered;
mod revoked;
mod sessions;
#[cfg(test)]
mod tests;
mod turns;
mod under_keyring;
mod usage;
mod view;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

pub use failures::{Attempt, FailureKey, Failures};
pub use keyring::{KeyAge, Keyring, KeyringError};
pub use limits::{Budgets, Exceeded, Policy, Rates, Remainder};
pub use pulse::{Freshness, Promise};
pub use quota::{QuotaError, Quotas, Spending};
pub use registered::{Entitlements, KnownClient, KnownSecret, RegisteredClient};
pub use under_keyring::{Shelf, UnderKeyring};
pub use usage::Happening;
pub use view::View;

use crate::domain::{Attribution, Change, Environment, Epoch, JournalEntry, Noun, Timestamp, UsageWriter};
use crate::store::{Asker, CommitError, Door, Known, Page, Records, Sealer, Settled, Sharing, Store, StoreError};
use crate::telemetry::Metrics;
use apis::RememberedApis;
use cache::ClientCache;
pub use cache::Remembered;
use limits::BucketTable;
use pulse::{Pulse, Standing};
use quota::QuotaTable;
use revoked::RevokedTokens;
use turns::Turns;
use usage::Usage;

/// How long work that asks nothing of the store may take: an RSA key of 4096 bits on a busy machine.
const ASIDE: Duration = Duration::from_secs(10);
/// Revoked tokens read at a time.
const REVOKED_AT_A_TIME: u16 = 10_000;
/// How long it may take to read all of them again.
const REREADING: Duration = Duration::from_mins(1);

/// What a registry is made with.
pub struct RegistryParts {
    /// The way to the store.
    pub door: Door,
    /// What opens the private keys.
    pub sealer: Arc<Sealer>,
    /// Where it is counted how often the store had to be asked.
    pub metrics: Arc<Metrics>,
    /// How many clients are remembered.
    pub capacity: usize,
    /// How many revoked tokens are remembered; the store is asked about the others.
    pub revoked: usize,
    /// What is promised of it on a store that others write to.
    pub promise: Promise,
    /// Under which name usage is counted: one of its own for each registry that is opened.
    pub writer: UsageWriter,
    /// What anybody may do, whatever their plan.
    pub budgets: Budgets,
}

/// What this replica remembers.
pub struct Registry {
    door: Door,
    memory: Arc<Memory>,
    pulse: Option<Pulse>,
    failures: Failures,
    unknown_ids: Failures,
    buckets: BucketTable,
    quotas: QuotaTable,
    usage: Usage,
    /// Who reads what is not remembered.
    turns: Turns,
    /// Held by the thread that writes usage, which may outlast the call it works for.
    flushing: Arc<tokio::sync::Mutex<()>>,
    metrics: Arc<Metrics>,
}

/// The part that commits and beats change, from whatever thread.
struct Memory {
    clients: ClientCache,
    apis: RememberedApis,
    revoked: RevokedTokens,
    keyrings: [ArcSwapOption<Keyring>; 2],
    epoch: AtomicI64,
    store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    /// Held while keys are read, so that an older reading never replaces a newer one.
    reading_keys: Mutex<()>,
}

impl Registry {
    /// Reads the keys and, on a store that others write to, starts the pulse. Blocks; for the start of a process.
    ///
    /// # Errors
    /// When the store does not answer or a key cannot be used.
    pub fn open(parts: RegistryParts) -> Result<Self, KeyringError> {
        let store = Arc::clone(parts.door.store());
        let (mut epoch, mut known) = (Epoch::ZERO, Known::NOTHING);
        store.read(&mut |records| {
            match store.sharing() {
                // Nobody follows here, so a journal that was damaged does not keep from starting the server that can tell of it.
                Sharing::Sole => epoch = records.epoch()?,
                Sharing::Shared => {
                    known = Known::head(records)?;
                    epoch = known.epoch;
                }
            }
            Ok(())
        })?;
        let memory = Arc::new(Memory {
            clients: ClientCache::new(parts.capacity),
            apis: RememberedApis::default(),
            revoked: RevokedTokens::new(parts.revoked),
            keyrings: [ArcSwapOption::empty(), ArcSwapOption::empty()],
            epoch: AtomicI64::new(epoch.get()),
            store: Arc::clone(&store),
            sealer: parts.sealer,
            reading_keys: Mutex::default(),
        });
        for environment in Environment::ALL {
            memory.read_keyring(environment)?;
        }
        memory.read_revoked()?;
        let pulse = match store.sharing() {
            Sharing::Sole => None,
            Sharing::Shared => {
                let applied = Arc::clone(&memory);
                let apply = Box::new(move |entry: &JournalEntry| applied.apply(entry));
                let started = Pulse::start(store, known, parts.promise, apply);
                Some(started.map_err(|error| StoreError::Unavailable(error.to_string()))?)
            }
        };
        Ok(Self {
            turns: Turns::new(parts.door.patience()),
            memory,
            pulse,
            failures: Failures::new(parts.budgets.failures_per_minute),
            unknown_ids: Failures::new(parts.budgets.unknown_ids_per_minute),
            buckets: BucketTable::new(parts.budgets.revocations_per_minute),
            quotas: QuotaTable::new(parts.door.clone(), Arc::clone(&parts.metrics)),
            // Those remembered, and as many that were forgotten since something was counted of them.
            usage: Usage::new(parts.writer, 2 * parts.capacity),
            flushing: Arc::default(),
            door: parts.door,
            metrics: parts.metrics,
        })
    }

    /// Returns once all that was committed before this call has been applied here.
    ///
    /// # Errors
    /// When that cannot be known in time.
    pub async fn fresh(&self) -> Result<View<'_>, StoreError> {
        if let Some(pulse) = &self.pulse {
            match pulse.beat().await? {
                Standing::Fresh => {}
                Standing::Stale => self.metrics.count_stale_answer(),
            }
        }
        Ok(View { registry: self })
    }

    /// As [`Registry::fresh`], for who asks whether the store is there at all: where nobody else writes to it, `fresh` does not ask it.
    ///
    /// # Errors
    /// When the store does not answer in time, and no outage is being bridged.
    pub async fn reached(&self) -> Result<View<'_>, StoreError> {
        if self.pulse.is_none() {
            self.look_up(|records| records.epoch()).await?;
        }
        self.fresh().await
    }

    /// Commits what `decide` decides and applies it here before it returns.
    ///
    /// # Errors
    /// When `decide` refuses, or the store does not answer in time; whether the change was made is then unknown, but if it was,
    /// it has been or will be applied here.
    pub async fn commit<T: Send + 'static>(
        &self,
        attribution: Attribution,
        decide: impl FnMut(&mut dyn Records) -> Result<(Option<Change>, T), CommitError> + Send + 'static,
    ) -> Result<T, CommitError> {
        let (_, answer) = self.commit_entry(attribution, decide).await?;
        Ok(answer)
    }

    /// As [`Registry::commit`], with the journal row that was written; `None` when there was nothing to do after all.
    ///
    /// # Errors
    /// As [`Registry::commit`].
    pub async fn commit_entry<T: Send + 'static>(
        &self,
        attribution: Attribution,
        decide: impl FnMut(&mut dyn Records) -> Result<(Option<Change>, T), CommitError> + Send + 'static,
    ) -> Result<(Option<JournalEntry>, T), CommitError> {
        let memory = Arc::clone(&self.memory);
        self.door
            .commit(attribution, decide, move |settled| memory.settle(settled))
            .await
    }

    /// Does work that takes long, such as making a key, on a thread that may block.
    ///
    /// # Errors
    /// When no thread is free in time, or the work takes more than ten seconds.
    pub async fn aside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
        self.door.call_within((Asker::House, ASIDE), move |_| work()).await
    }

    /// Reads what is not remembered, such as lists, for an operator or for the house itself.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.door.read(Asker::House, read).await
    }

    /// Reads for somebody at the public listener, within the places they have.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn look_up<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Records) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.door.read(Asker::Caller, read).await
    }

    /// The budgets of failed authentications.
    #[must_use]
    pub const fn failures(&self) -> &Failures {
        &self.failures
    }

    /// The budgets of client ids that failed, each of one source.
    #[must_use]
    pub const fn unknown_ids(&self) -> &Failures {
        &self.unknown_ids
    }

    /// The last journal entry applied here.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        Epoch::new(self.memory.epoch.load(Ordering::Acquire))
    }

    /// Forgets what has expired, here and in the store; says how many rows went. Where revoked tokens may be missing in memory since a
    /// commit whose end is unknown, they are read again.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn tidy(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.memory.revoked.forget(now);
        if self.memory.revoked.doubts().is_some() {
            let memory = Arc::clone(&self.memory);
            let work = move |_: &dyn Store| memory.read_revoked();
            self.door.call_within((Asker::House, REREADING), work).await??;
        }
        self.door.call(Asker::House, move |store| store.forget(now)).await?
    }

    /// What is counted here.
    #[must_use]
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// How many revoked tokens are remembered.
    #[must_use]
    pub fn revoked_tokens(&self) -> usize {
        self.memory.revoked.count()
    }
}

impl Memory {
    fn keyring_of(&self, environment: Environment) -> &ArcSwapOption<Keyring> {
        match environment {
            Environment::Qa => &self.keyrings[0],
            Environment::Production => &self.keyrings[1],
        }
    }

    /// Makes what is remembered agree with a commit. One whose end is unknown may have changed anything; where others write too,
    /// the pulse reads from the journal whether it did.
    fn settle(&self, settled: Settled<'_>) {
        match (settled, self.store.sharing()) {
            (Settled::Written(entry), _) => self.apply(entry),
            (Settled::Unknown, Sharing::Sole) => self.forget_everything(),
            (Settled::Unknown, Sharing::Shared) => {}
        }
    }

    /// Forgets clients, APIs and keys, which are read again when they are next asked for. Of revoked tokens none is forgotten, but any
    /// may be missing.
    fn forget_everything(&self) {
        self.revoked.doubt();
        self.clients.clear();
        for environment in Environment::ALL {
            self.apis.forget(environment);
        }
        let _turn = self.reading_keys.lock().unwrap_or_else(PoisonError::into_inner);
        for keyring in &self.keyrings {
            keyring.store(None);
        }
    }

    /// Makes what is remembered agree with `entry`. Applying an entry twice does no harm.
    fn apply(&self, entry: &JournalEntry) {
        self.revoked.apply(entry);
        self.clients.apply(entry);
        self.apis.apply(entry);
        if let (Noun::Key, Some(environment)) = (entry.noun, entry.environment)
            && let Err(error) = self.read_keyring(environment)
        {
            log::error!(environment:% = environment, error:% = error; "the signing keys cannot be read: nothing is signed until they can");
        }
        self.epoch.fetch_max(entry.epoch.get(), Ordering::AcqRel);
    }

    /// Reads the keys of an environment. While that fails there are none: better no token than one under a revoked key.
    fn read_keyring(&self, environment: Environment) -> Result<(), KeyringError> {
        let _turn = self.reading_keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keyring = None;
        let read = self.store.read(&mut |records| {
            keyring = Some(Keyring::read(records, environment, &self.sealer));
            Ok(())
        });
        let keyring = read.map_err(KeyringError::Store).and_then(|()| {
            keyring.unwrap_or_else(|| {
                Err(KeyringError::Store(StoreError::Corrupt(
                    "a read that did not read".to_owned(),
                )))
            })
        });
        let slot = self.keyring_of(environment);
        match keyring {
            Ok(keyring) => {
                slot.store(Some(Arc::new(keyring)));
                Ok(())
            }
            Err(error) => {
                slot.store(None);
                Err(error)
            }
        }
    }

    /// Reads which tokens are revoked, page by page, and adds them to what is remembered. What is committed meanwhile is applied
    /// beside it, so that afterwards none of either is missing.
    fn read_revoked(&self) -> Result<(), StoreError> {
        let Some(doubts) = self.revoked.doubts() else {
            return Ok(());
        };
        let mut page = Page::first(REVOKED_AT_A_TIME);
        loop {
            let mut tokens = Vec::new();
            self.store.read(&mut |records| {
                tokens = records.revoked_tokens(&page)?;
                Ok(())
            })?;
            self.revoked.remember(&tokens);
            if tokens.len() < usize::from(REVOKED_AT_A_TIME) {
                self.revoked.settle(doubts);
                return Ok(());
            }
            page.after = tokens.pop().map(|(jti, _)| jti);
        }
    }
}
