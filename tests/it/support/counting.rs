//! Counts what is allocated. The system's allocator does the work; beside it every call adds one to a number of the thread, and what
//! the threads of one test take together, in bytes, is added up where it wants to know.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicIsize, Ordering};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static WEIGHED: Cell<bool> = const { Cell::new(false) };
}

/// What the weighed threads have taken and not given back.
static HELD: AtomicIsize = AtomicIsize::new(0);

fn count() {
    // A thread that is ending has no number any more, and nobody asks for it.
    let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
}

fn weigh(taken: usize, given_back: usize) {
    if WEIGHED.try_with(Cell::get).unwrap_or(false) {
        HELD.fetch_add(taken.cast_signed() - given_back.cast_signed(), Ordering::Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        weigh(layout.size(), 0);
        // SAFETY: the caller's promises are those of `System`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        weigh(layout.size(), 0);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        weigh(size, layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        weigh(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// How often this thread has allocated, or enlarged what it had, so far.
pub fn allocations() -> usize {
    CALLS.get()
}

/// From now on what this thread takes and gives back is weighed. One test alone may ask for this.
pub fn weigh_this_thread() {
    WEIGHED.set(true);
}

/// How many bytes the weighed threads hold.
pub fn held() -> isize {
    HELD.load(Ordering::Relaxed)
}
