//! What several tests use at once: made by the first that asks for it, ended with the last that holds it, so that nothing outlives
//! the tests.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Something of which there is one at a time.
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The one there is, or a new one.
    pub fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        // Where making it failed there is none, as before.
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.upgrade().unwrap_or_else(|| {
            let made = Arc::new(make());
            *kept = Arc::downgrade(&made);
            made
        })
    }
}

#[test]
fn there_is_one_as_long_as_somebody_holds_it() {
    static SHARED: Shared<u8> = Shared::new();
    let first = SHARED.get(|| 1);
    assert_eq!(*SHARED.get(|| 2), 1);
    drop(first);
    assert_eq!(*SHARED.get(|| 3), 3);
}
