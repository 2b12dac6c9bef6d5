//! The only doors to time and chance. Everything else receives them as arguments, so that a test can hold them still.

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
