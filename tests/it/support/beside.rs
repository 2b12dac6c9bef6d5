//! A store with the one in memory beside it. Every change is decided twice, from the records of each, and made in both; what they
//! answer is held against each other, down to the hash of the journal's row. So the one in memory can say what is true.

use std::sync::{Arc, Mutex};

use mintmark::domain::{Attribution, JournalEntry, Meter, Timestamp, UsageBatch};
use mintmark::store::{
    CommitError, Decide, Draw, Drawn, Follower, MemoryStore, NoticeBoard, Read, Records, Return, SessionBook, Sharing,
    Store, StoreError,
};

/// The store in memory that knows what is true.
#[derive(Default)]
pub struct Oracle {
    memory: MemoryStore,
    /// Where the two did not answer alike. Locked during a commit, so that both take commits in the same order.
    differences: Mutex<Vec<String>>,
}

impl Oracle {
    /// Reads what is true.
    pub fn read<T>(&self, read: impl Fn(&mut dyn Records) -> Result<T, StoreError>) -> T {
        let mut found = None;
        let outcome = self.memory.read(&mut |records| {
            found = Some(read(records)?);
            Ok(())
        });
        outcome.expect("memory answers");
        found.expect("it was read")
    }

    /// Counts a token that was issued. Draws of the store above are not made here: they are of blocks, and of nobody's tokens yet.
    pub fn count(&self, meter: &Meter) {
        self.memory.draw(meter, Draw::counting(1)).expect("memory answers");
    }

    /// Fails where the two answered differently.
    #[track_caller]
    pub fn assert_agreement(&self) {
        let differences = self.differences.lock().unwrap();
        assert!(differences.is_empty(), "{differences:#?}");
    }
}

/// A store and its oracle.
pub struct Beside {
    pub store: Arc<dyn Store>,
    pub oracle: Arc<Oracle>,
}

impl Store for Beside {
    fn sharing(&self) -> Sharing {
        self.store.sharing()
    }

    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError> {
        self.store.read(read)
    }

    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError> {
        let mut differences = self.oracle.differences.lock().unwrap();
        let expected = format!("{:?}", self.oracle.memory.commit(attribution, decide));
        // The last decision is the one whose answer the caller gets.
        let answer = self.store.commit(attribution, decide);
        let given = format!("{answer:?}");
        if given != expected {
            differences.push(format!("{given}\nand not\n{expected}"));
        }
        answer
    }

    fn follower(&self) -> Result<Box<dyn Follower>, StoreError> {
        self.store.follower()
    }

    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError> {
        self.store.record_usage(batch)
    }

    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.store.forget_usage(before)
    }

    fn forget(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.store.forget(now)
    }

    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError> {
        self.store.draw(meter, draw)
    }

    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError> {
        self.store.give_back(returns)
    }

    fn board(&self) -> &dyn NoticeBoard {
        self.store.board()
    }

    fn sessions(&self) -> &dyn SessionBook {
        self.store.sessions()
    }

    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError> {
        self.store.keep_master_key_check(check)
    }
}
