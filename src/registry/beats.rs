//! Who waits for a beat, and how they learn of its end.
//!
//! Beats are numbered, and a request waits for the next one to begin. It keeps its place in memory of its own and hands nothing to the
//! thread that beats: where thousands wait in a second, what one thread allocates and another frees costs as much as the beat.

use std::pin::pin;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// The beats of one replica.
#[derive(Default)]
pub(super) struct Beats {
    state: Mutex<State>,
    /// Wakes the thread that beats.
    arrived: Condvar,
    /// Those who wait for a beat with an even number, and those with an odd one: while one is under way others wait for the next.
    ended: [Notify; 2],
}

#[derive(Default)]
struct State {
    /// How many have begun.
    begun: u64,
    /// How many wait for the next.
    waiting: usize,
    /// The last that has ended, and the last that has succeeded.
    ended: u64,
    succeeded: u64,
    /// Whether the thread sleeps until somebody comes.
    is_asleep: bool,
    is_stopped: bool,
}

impl State {
    /// How the beat with this number ended, if it did. A later one that succeeded is as good.
    const fn outcome(&self, number: u64) -> Option<Outcome> {
        if self.succeeded >= number {
            Some(Outcome::Succeeded)
        } else if self.ended >= number {
            Some(Outcome::Failed)
        } else if self.is_stopped {
            Some(Outcome::Never)
        } else {
            None
        }
    }
}

/// What became of a beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The journal was read to its head.
    Succeeded,
    /// It could not be read.
    Failed,
    /// Nobody reads it any more.
    Never,
}

/// A beat that has begun.
pub(super) struct Begun {
    number: u64,
    /// How many wait for it.
    pub(super) waiting: usize,
}

impl Beats {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the end of a beat that begins after this call.
    pub(super) async fn next(&self) -> Outcome {
        let number = {
            let mut state = self.state();
            state.waiting += 1;
            // The thread is woken by the first only.
            if std::mem::take(&mut state.is_asleep) {
                self.arrived.notify_one();
            }
            state.begun + 1
        };
        loop {
            let mut ended = pin!(self.ended_of(number).notified());
            // From here on no end is missed.
            ended.as_mut().enable();
            if let Some(outcome) = self.state().outcome(number) {
                return outcome;
            }
            ended.await;
        }
    }

    fn ended_of(&self, number: u64) -> &Notify {
        &self.ended[usize::from(number % 2 == 1)]
    }

    /// Begins the next beat as soon as somebody waits for it, or after `idle`; `pause` after that, where one is given. `None`: no more.
    pub(super) fn begin(&self, idle: Duration, pause: impl FnOnce() -> Option<Duration>) -> Option<Begun> {
        let mut state = self.state();
        state.is_asleep = state.waiting == 0;
        (state, _) = self
            .arrived
            .wait_timeout_while(state, idle, |state| state.waiting == 0 && !state.is_stopped)
            .unwrap_or_else(PoisonError::into_inner);
        state.is_asleep = false;
        if let Some(pause) = pause() {
            // Whoever comes meanwhile is still before the beat.
            (state, _) = self
                .arrived
                .wait_timeout_while(state, pause, |state| !state.is_stopped)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.is_stopped {
            return None;
        }
        state.begun += 1;
        Some(Begun {
            number: state.begun,
            waiting: std::mem::take(&mut state.waiting),
        })
    }

    /// Tells all who wait for this beat how it ended.
    pub(super) fn end(&self, begun: &Begun, succeeded: Result<(), ()>) {
        let mut state = self.state();
        state.ended = begun.number;
        if succeeded.is_ok() {
            state.succeeded = begun.number;
        }
        drop(state);
        self.ended_of(begun.number).notify_waiters();
    }

    /// There will be no more beats, and nobody waits for one.
    pub(super) fn stop(&self) {
        self.state().is_stopped = true;
        self.arrived.notify_one();
        self.ended.iter().for_each(Notify::notify_waiters);
    }

    /// Whether there will be another.
    pub(super) fn go_on(&self) -> bool {
        !self.state().is_stopped
    }
}
