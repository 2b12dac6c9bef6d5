//! The tally of one client: what became of its requests and when its secrets were used, since it was last written down.
//!
//! It stands beside the remembered client, so that counting a token looks nothing up: one lock that nobody else wants, one comparison
//! with the line counted before.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::{CountedScope, Granularity, Outcome, SecretId, Timestamp, TokenRefusal};
use crate::registry::KnownSecret;

/// Under how many scopes the tokens of one client are counted in one hour; all further ones are counted together.
pub(super) const MOST_SCOPES: usize = 16;

/// What happened to a client that is worth remembering.
#[derive(Clone, Copy, Debug)]
pub enum Happening<'a> {
    /// A token was issued.
    Issued {
        /// The scope of the token.
        scope: &'a str,
        /// The secret that obtained it.
        secret_id: &'a SecretId,
        /// From where it was asked for.
        source: IpAddr,
    },
    /// It was refused a token, or was not believed to be itself.
    Refused(TokenRefusal),
    /// One of its secrets was used for something else.
    Used {
        /// Which.
        secret_id: &'a SecretId,
        /// From where.
        source: IpAddr,
    },
}

/// The tally of one client. It begins empty.
#[derive(Debug, Default)]
pub(in crate::registry) struct Tally(Mutex<Sheet>);

/// What stands in a tally.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Whether the client is on the list of those to be written down.
    pub(super) is_listed: bool,
    lines: Few<Line>,
    uses: Few<LastUse>,
}

/// A list of things of which nearly every client has one: that one lies in its place, and only the others take room elsewhere.
#[derive(Debug)]
struct Few<T> {
    first: Option<T>,
    others: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self {
            first: None,
            others: Vec::new(),
        }
    }
}

impl<T> Few<T> {
    fn push(&mut self, one: T) {
        if self.first.is_none() {
            self.first = Some(one);
        } else {
            self.others.reserve_exact(1);
            self.others.push(one);
        }
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// Leaves those that `stay`, and no room for more.
    fn retain(&mut self, stay: impl Fn(&T) -> bool) {
        self.others.retain(&stay);
        self.first = self.first.take().filter(stay).or_else(|| self.others.pop());
        self.others.shrink_to_fit();
    }
}

/// Requests of one hour that ended alike. A line that has been taken stays, at zero, as long as its hour is the newest: it holds a
/// place among the scopes of the hour, and spares the next token the making of another.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) hour: Timestamp,
    pub(super) outcome: Outcome,
    pub(super) scope: Option<CountedScope>,
    pub(super) requests: u64,
}

/// The last use of the secret at this place among the client's.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastUse {
    pub(super) place: usize,
    pub(super) at: Timestamp,
    pub(super) source: IpAddr,
}

impl Tally {
    /// The sheet, for whoever writes on it or takes from it.
    pub(super) fn sheet(&self) -> MutexGuard<'_, Sheet> {
        // Nothing that is done under the lock can break off half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sheet {
    /// Puts down what happened to the client that has these secrets.
    pub(super) fn put(&mut self, at: Timestamp, happening: Happening<'_>, secrets: &[KnownSecret]) {
        let hour = Granularity::Hour.begin(at);
        match happening {
            Happening::Issued {
                scope,
                secret_id,
                source,
            } => {
                self.count_scope(hour, scope);
                self.note(at, source, place(secrets, secret_id));
            }
            Happening::Refused(refusal) => self.count(hour, Outcome::Refused(refusal), None),
            Happening::Used { secret_id, source } => self.note(at, source, place(secrets, secret_id)),
        }
    }

    fn count_scope(&mut self, hour: Timestamp, scope: &str) {
        let issued = |line: &&mut Line| line.hour == hour && line.outcome == Outcome::Issued;
        let same = |line: &&mut Line| line.scope.as_ref().is_some_and(|known| known.as_str() == scope);
        if let Some(line) = self.lines.iter_mut().filter(issued).find(same) {
            line.requests += 1;
            return;
        }
        let scopes = self.lines.iter_mut().filter(issued).count();
        let scope = if scopes < MOST_SCOPES {
            CountedScope::of(scope)
        } else {
            CountedScope::other()
        };
        self.count(hour, Outcome::Issued, Some(scope));
    }

    fn count(&mut self, hour: Timestamp, outcome: Outcome, scope: Option<CountedScope>) {
        let same = |line: &&mut Line| line.hour == hour && line.outcome == outcome && line.scope == scope;
        if let Some(line) = self.lines.iter_mut().find(same) {
            line.requests += 1;
            return;
        }
        self.lines.push(Line {
            hour,
            outcome,
            scope,
            requests: 1,
        });
    }

    fn note(&mut self, at: Timestamp, source: IpAddr, place: Option<usize>) {
        let Some(place) = place else { return };
        let used = LastUse { place, at, source };
        if let Some(known) = self.uses.iter_mut().find(|known| known.place == place) {
            if known.at <= at {
                *known = used;
            }
            return;
        }
        self.uses.push(used);
    }

    /// Takes what was put down, and the client off the list.
    pub(super) fn take(&mut self, mut counted: impl FnMut(&Line), mut used: impl FnMut(LastUse)) {
        self.is_listed = false;
        let newest = self.lines.iter_mut().map(|line| line.hour).max();
        for line in self.lines.iter_mut().filter(|line| line.requests > 0) {
            counted(line);
            line.requests = 0;
        }
        self.lines.retain(|line| Some(line.hour) == newest);
        self.uses.iter_mut().for_each(|last| used(*last));
        self.uses = Few::default();
    }
}

fn place(secrets: &[KnownSecret], secret_id: &SecretId) -> Option<usize> {
    secrets.iter().position(|secret| secret.secret_id == *secret_id)
}
