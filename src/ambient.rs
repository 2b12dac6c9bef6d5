//! The only doors to time and chance. Everything else receives them as arguments, so that a test can hold them still.

use std::sync::{Arc, Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

use crate::domain::{Milliseconds, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// This moment in milliseconds since 1970.
    fn now_milliseconds(&self) -> Milliseconds;

    /// This moment in whole seconds.
    fn now(&self) -> Timestamp {
        self.now_milliseconds().second()
    }
}

/// Gives random bytes fit for secrets (RFC 6749 §10.10).
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable values.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: a server without it must not go on.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door to time")]
    fn now_milliseconds(&self) -> Milliseconds {
        Milliseconds(chrono::Utc::now().timestamp_millis())
    }
}

/// The operating system's random number generator.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// A handle; it costs nothing and holds no state of its own.
    #[expect(clippy::disallowed_methods, reason = "this is the door to chance")]
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("the operating system provides randomness");
    }
}

/// How many bytes [`PooledEntropy`] draws at a time.
const POOL: usize = 4096;

/// Random bytes for names that must be unique but are no secrets, such as a `jti` or the name of a request: drawn in large pieces, so
/// that a name costs no call to the operating system. Never for keys and secrets, which would lie in memory before they are used.
pub struct PooledEntropy {
    source: Arc<dyn Entropy>,
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL],
    used: usize,
}

impl PooledEntropy {
    /// A pool that is filled from `source`.
    #[must_use]
    pub fn new(source: Arc<dyn Entropy>) -> Self {
        let (bytes, used) = ([0; POOL], POOL);
        let pool = Mutex::new(Pool { bytes, used });
        Self { source, pool }
    }
}

impl Entropy for PooledEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > POOL {
            return self.source.fill(bytes);
        }
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.used + bytes.len() > POOL {
            self.source.fill(&mut pool.bytes);
            pool.used = 0;
        }
        let end = pool.used + bytes.len();
        bytes.copy_from_slice(&pool.bytes[pool.used..end]);
        pool.used = end;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts upwards, one number in every eight bytes, and how often it is asked.
    #[derive(Default)]
    struct Counting {
        next: Mutex<u64>,
        calls: AtomicUsize,
    }

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let mut next = self.next.lock().unwrap();
            for number in bytes.chunks_mut(8) {
                number.copy_from_slice(&next.to_be_bytes()[..number.len()]);
                *next += 1;
            }
        }
    }

    #[test]
    fn no_byte_of_a_pool_is_given_twice() {
        let counting = Arc::new(Counting::default());
        let pooled = PooledEntropy::new(counting.clone());
        let mut given = [0; 16];
        let drawn: std::collections::HashSet<[u8; 16]> = (0..3 * POOL / 16)
            .map(|_| {
                pooled.fill(&mut given);
                given
            })
            .collect();
        assert_eq!(drawn.len(), 3 * POOL / 16);
        assert_eq!(counting.calls.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn what_the_rest_of_a_pool_is_too_short_for_comes_from_the_next_one() {
        let counting = Arc::new(Counting::default());
        let pooled = PooledEntropy::new(counting.clone());
        pooled.fill(&mut vec![0; POOL - 8]);
        let mut next = [0; 16];
        pooled.fill(&mut next);
        // 4096 bytes are 512 numbers, of which the second pool begins with number 512.
        assert_eq!(next[..8], 512_u64.to_be_bytes());
        let mut much = vec![0; 2 * POOL];
        pooled.fill(&mut much);
        assert_eq!(much[..8], 1024_u64.to_be_bytes());
        assert_eq!(counting.calls.load(Ordering::SeqCst), 3);
    }
}
