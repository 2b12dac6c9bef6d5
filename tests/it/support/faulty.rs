//! A store that fails when it is told to: before it writes, after it has written, or by not answering.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use mintmark::domain::{Attribution, JournalEntry, Meter, Timestamp, UsageBatch};
use mintmark::store::{
    CommitError, Decide, Draw, Drawn, Follower, Known, MemoryStore, NoticeBoard, Read, Return, SessionBook, Sharing,
    Store, StoreError,
};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// A commit, or a batch of usage, fails before anything is written.
    BeforeWriting,
    /// It is written, and then fails all the same.
    AfterWriting,
    /// It waits until the fault is another.
    Stalling,
    /// Nothing can be read.
    Unreadable,
    /// Whoever follows the journal breaks off.
    Panicking,
}

/// The store in memory, and its fault of the moment. Clones share both.
#[derive(Clone)]
pub struct FaultyStore {
    inside: MemoryStore,
    fault: Arc<(Mutex<Fault>, Condvar)>,
    sharing: Sharing,
    calls: Arc<AtomicUsize>,
    meanwhile: Arc<Mutex<Option<Meanwhile>>>,
}

/// What happens while somebody reads.
type Meanwhile = Box<dyn FnOnce() + Send>;

impl FaultyStore {
    pub fn new(sharing: Sharing) -> Self {
        Self {
            inside: MemoryStore::default(),
            fault: Arc::new((Mutex::new(Fault::Nothing), Condvar::new())),
            sharing,
            calls: Arc::default(),
            meanwhile: Arc::default(),
        }
    }

    /// How often the store was asked for anything. Following the journal does not count.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Lets `happen` come to pass during the next read, before it is answered.
    pub fn meanwhile(&self, happen: impl FnOnce() + Send + 'static) {
        *self.meanwhile.lock().unwrap() = Some(Box::new(happen));
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
    }

    pub fn set(&self, fault: Fault) {
        *self.fault.0.lock().unwrap() = fault;
        self.fault.1.notify_all();
    }

    fn fault(&self) -> Fault {
        let fault = self.fault.0.lock().unwrap();
        *self
            .fault
            .1
            .wait_while(fault, |fault| *fault == Fault::Stalling)
            .unwrap()
    }

    fn readable(&self) -> Result<(), StoreError> {
        match *self.fault.0.lock().unwrap() {
            Fault::Unreadable => Err(broken()),
            _ => Ok(()),
        }
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("the test wants it so".to_owned())
}

impl Store for FaultyStore {
    fn sharing(&self) -> Sharing {
        self.sharing
    }

    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        self.count();
        self.readable()?;
        self.inside.read(read)?;
        let happen = self.meanwhile.lock().unwrap().take();
        if let Some(happen) = happen {
            happen();
        }
        Ok(())
    }

    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        self.count();
        match self.fault() {
            Fault::BeforeWriting | Fault::Unreadable => Err(broken().into()),
            Fault::AfterWriting => self.inside.commit(attribution, decide).and(Err(broken().into())),
            Fault::Nothing | Fault::Stalling | Fault::Panicking => self.inside.commit(attribution, decide),
        }
    }

    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        self.readable()?;
        Ok(Box::new(FaultyFollower(self.inside.follower()?, self.clone())))
    }

    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.count();
        match self.fault() {
            Fault::BeforeWriting | Fault::Unreadable => Err(broken()),
            Fault::AfterWriting => self.inside.record_usage(batch).and(Err(broken())),
            Fault::Nothing | Fault::Stalling | Fault::Panicking => self.inside.record_usage(batch),
        }
    }

    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.count();
        self.inside.forget_usage(before)
    }

    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.count();
        self.inside.forget(now)
    }

    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        self.count();
        match self.fault() {
            Fault::BeforeWriting | Fault::Unreadable => Err(broken()),
            Fault::AfterWriting => self.inside.draw(meter, draw).and(Err(broken())),
            Fault::Nothing | Fault::Stalling | Fault::Panicking => self.inside.draw(meter, draw),
        }
    }

    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        self.count();
        self.readable()?;
        self.inside.give_back(returns)
    }

    fn board(&self) -> &dyn NoticeBoard {
        self.inside.board()
    }

    fn sessions(&self) -> &dyn SessionBook {
        self.inside.sessions()
    }

    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        self.count();
        self.inside.keep_master_key_check(check)
    }
}

struct FaultyFollower(Box<dyn Follower>, FaultyStore);

impl Follower for FaultyFollower {
    fn after(&mut self, known: Known, limit: u16) -> Result<Vec<JournalEntry>, StoreError> {
        self.1.readable()?;
        let fault = *self.1.fault.0.lock().unwrap();
        assert_ne!(fault, Fault::Panicking, "the test wants it so");
        self.0.after(known, limit)
    }
}
