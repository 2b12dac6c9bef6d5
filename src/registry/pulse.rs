//! The pulse: how a replica knows, for every request, that nothing was committed anywhere which it has not applied.
//!
//! One thread with a connection of its own repeats, while requests wait: close the waiting list; read the head of the journal;
//! apply what came since; release the list. So every request waits for a read that began after it arrived, and one tiny
//! query serves all who arrived meanwhile. A request that no beat reached in time is refused, never served from memory.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Registry;
use super::beats::{Beats, Outcome};
use crate::domain::JournalEntry;
use crate::store::{Follower, Known, Store, StoreError};

/// Journal rows read at a time.
const ROWS_AT_A_TIME: u16 = 1000;
/// How long the thread rests when nobody waits. It beats then too, so that keys and health are known when a request comes.
const IDLE: Duration = Duration::from_secs(1);
/// How far apart beats begin while requests come faster than that. Those that come in between wait for one beat together, where each
/// of thousands would else take time from the signatures. After a beat for one request alone the next begins at once.
const BETWEEN_BEATS: Duration = Duration::from_micros(200);
/// How far apart connections are opened, so that a store which refuses them, or in which another journal stands, is not
/// flooded with them by those who ask meanwhile.
const BETWEEN_CONNECTIONS: Duration = Duration::from_millis(50);

/// How old what a replica knows may be when it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Not at all: every answer stands on a look at the journal that began after its request arrived.
    AtOnce,
    /// So old: a revocation elsewhere may be missed for that long.
    Within(Duration),
}

/// What a replica promises of what it knows, on a store that others write to.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// How old it may be.
    pub freshness: Freshness,
    /// How long a request waits to learn that it is fresh.
    pub patience: Duration,
    /// For how long after the last beat to go on answering when the journal cannot be read. `None`: not at all.
    pub outage: Option<Duration>,
}

/// What an answer stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// On what the promise says.
    Fresh,
    /// On the last beat before an outage.
    Stale,
}

/// What a replica does with each entry it reads.
pub(super) type Apply = Box<dyn Fn(&JournalEntry) + Send>;

/// The pulse of one replica.
pub(super) struct Pulse {
    shared: Arc<Shared>,
    promise: Promise,
}

struct Shared {
    beats: Beats,
    /// When the last beat that succeeded began.
    beaten: Mutex<Instant>,
}

impl Pulse {
    /// Starts the thread, which knows all entries up to `known`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub(super) fn start(store: Arc<dyn Store>, known: Known, promise: Promise, apply: Apply) -> std::io::Result<Self> {
        let beaten = Mutex::new(Instant::now());
        let shared = Arc::new(Shared {
            beats: Beats::default(),
            beaten,
        });
        let mut heart = Heart {
            store,
            follower: None,
            opened: None,
            known,
            apply,
            failing: false,
        };
        let alive = Alive(Arc::clone(&shared));
        thread::Builder::new()
            .name("pulse".to_owned())
            .spawn(move || heart.run(&alive.0))?;
        Ok(Self { shared, promise })
    }

    /// Whether there will be another beat.
    fn is_alive(&self) -> bool {
        self.shared.beats.go_on()
    }

    /// Returns once what is known here is as fresh as promised.
    ///
    /// # Errors
    /// When that is not known in time, or the store does not answer, and no outage is to be bridged.
    pub(super) async fn beat(&self) -> Result<Standing, StoreError> {
        if let Freshness::Within(age) = self.promise.freshness
            && self.beaten_within(age)
        {
            return Ok(Standing::Fresh);
        }
        match self.next_beat().await {
            Ok(()) => Ok(Standing::Fresh),
            Err(_) if self.promise.outage.is_some_and(|outage| self.beaten_within(outage)) => Ok(Standing::Stale),
            Err(error) => Err(error),
        }
    }

    fn beaten_within(&self, age: Duration) -> bool {
        self.shared
            .beaten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .elapsed()
            <= age
    }

    /// Returns after a beat that began after this call.
    async fn next_beat(&self) -> Result<(), StoreError> {
        let unavailable = |why: &str| Err(StoreError::Unavailable(why.to_owned()));
        match tokio::time::timeout(self.promise.patience, self.shared.beats.next()).await {
            Ok(Outcome::Succeeded) => Ok(()),
            Ok(Outcome::Failed) => unavailable("the journal could not be read"),
            Ok(Outcome::Never) => unavailable("nobody reads the journal any more"),
            Err(_) => unavailable("the journal was not read in time"),
        }
    }
}

impl Registry {
    /// Whether the journal can still be followed. Once the thread that does has broken off, it never can again.
    #[must_use]
    pub fn has_pulse(&self) -> bool {
        self.pulse.as_ref().is_none_or(Pulse::is_alive)
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.shared.beats.stop();
    }
}

/// Held by the thread. Where that ends, by whatever fault, nobody waits for it any more.
struct Alive(Arc<Shared>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.beats.stop();
    }
}

/// The thread's own side.
struct Heart {
    store: Arc<dyn Store>,
    follower: Option<Box<dyn Follower>>,
    /// When a connection was last opened, or tried to be.
    opened: Option<Instant>,
    known: Known,
    apply: Apply,
    /// Whether the last beat did.
    failing: bool,
}

impl Heart {
    fn run(&mut self, shared: &Shared) {
        while let Some(begun) = shared.beats.begin(IDLE, || self.pause()) {
            let began = Instant::now();
            let beaten = self.beat();
            if beaten.is_ok() {
                *shared.beaten.lock().unwrap_or_else(PoisonError::into_inner) = began;
            }
            self.tell(beaten.as_ref().err());
            shared.beats.end(&begun, beaten.map_err(|_| ()));
            if begun.waiting > 1 {
                thread::sleep(BETWEEN_BEATS.saturating_sub(began.elapsed()));
            }
        }
    }

    /// How long to wait before a connection may be opened, where the next beat needs one.
    fn pause(&self) -> Option<Duration> {
        let opened = self.opened.filter(|_| self.follower.is_none())?;
        BETWEEN_CONNECTIONS.checked_sub(opened.elapsed())
    }

    /// Says when beats begin to fail and when they succeed again, not at every beat: there are thousands in a second.
    fn tell(&mut self, failure: Option<&StoreError>) {
        match failure {
            Some(error) if !self.failing => log::warn!(error:% = error; "the journal cannot be followed"),
            None if self.failing => log::info!("the journal is followed again"),
            _ => {}
        }
        self.failing = failure.is_some();
    }

    fn beat(&mut self) -> Result<(), StoreError> {
        loop {
            let mut follower = if let Some(follower) = self.follower.take() {
                follower
            } else {
                self.opened = Some(Instant::now());
                self.store.follower()?
            };
            let entries = follower.after(self.known, ROWS_AT_A_TIME)?;
            self.follower = Some(follower);
            for entry in &entries {
                (self.apply)(entry);
                self.known = entry.into();
            }
            if entries.len() < usize::from(ROWS_AT_A_TIME) {
                return Ok(());
            }
        }
    }
}
