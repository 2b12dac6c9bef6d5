//! Requests that were refused or failed: each is counted, and the first of a kind in each second have lines of their own in the log.
//! What came beyond them is told once a second, in number and kind. So neither a flood nor an outage fills the log.

use std::sync::atomic::{AtomicU32, Ordering};

use prometheus::{IntCounter, IntCounterVec};

use super::metrics::{Endpoint, Reason};

/// How many of a kind have lines of their own in a second.
const LINES: u32 = 20;

/// Whether a refusal has a line of its own in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// It has.
    Own,
    /// There were so many of its kind in this second that it is told with the others.
    Shared,
}

/// The counts of one process.
#[derive(Debug)]
pub(super) struct Refusals([[Kind; Reason::ALL.len()]; Endpoint::ALL.len()]);

#[derive(Debug)]
struct Kind {
    ever: IntCounter,
    this_second: AtomicU32,
}

impl Refusals {
    pub(super) fn new(family: &IntCounterVec) -> Self {
        Self(Endpoint::ALL.map(|endpoint| {
            Reason::ALL.map(|reason| Kind {
                ever: family.with_label_values(&[endpoint.as_str(), reason.as_str()]),
                this_second: AtomicU32::new(0),
            })
        }))
    }

    pub(super) fn count(&self, endpoint: Endpoint, reason: Reason) -> Line {
        let kind = &self.0[endpoint as usize][reason as usize];
        kind.ever.inc();
        if kind.this_second.fetch_add(1, Ordering::Relaxed) < LINES {
            Line::Own
        } else {
            Line::Shared
        }
    }

    /// Begins the next second. Gives the kinds of which there were more in the last than have lines, and how many more.
    pub(super) fn next_second(&self) -> Vec<(Endpoint, Reason, u32)> {
        let kinds = Endpoint::ALL.into_iter().flat_map(|endpoint| {
            let reasons = Reason::ALL.into_iter();
            reasons.map(move |reason| (endpoint, reason))
        });
        kinds
            .map(|(endpoint, reason)| {
                let kind = &self.0[endpoint as usize][reason as usize];
                let count = kind.this_second.swap(0, Ordering::Relaxed);
                (endpoint, reason, count.saturating_sub(LINES))
            })
            .filter(|(_, _, beyond)| *beyond > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use prometheus::Opts;

    use super::*;

    #[test]
    fn the_first_of_a_kind_in_a_second_have_lines_and_the_rest_is_told_in_number() {
        let family = IntCounterVec::new(Opts::new("a", "b"), &["endpoint", "reason"]).unwrap();
        let refusals = Refusals::new(&family);
        let count = |reason, times: u32| {
            let lines = (0..times).map(|_| refusals.count(Endpoint::Token, reason));
            lines.filter(|line| *line == Line::Own).count()
        };
        assert_eq!(count(Reason::Unauthenticated, 25), 20);
        assert_eq!(count(Reason::Limited, 20), 20, "another kind has lines of its own");
        assert_eq!(refusals.next_second(), [(Endpoint::Token, Reason::Unauthenticated, 5)]);
        assert_eq!(refusals.next_second(), []);
        assert_eq!(count(Reason::Unauthenticated, 1), 1, "the next second is another");
        let ever = family.with_label_values(&["token", "unauthenticated"]);
        assert_eq!(ever.get(), 26);
    }

    #[test]
    fn a_reason_goes_by_the_status() {
        for (status, reason) in [
            (400, "request"),
            (401, "unauthenticated"),
            (403, "forbidden"),
            (404, "request"),
            (413, "request"),
            (429, "limited"),
            (500, "unavailable"),
            (503, "unavailable"),
        ] {
            assert_eq!(Reason::of(status).as_str(), reason, "{status}");
        }
    }
}
