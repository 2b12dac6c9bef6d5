//! Connections on which nothing happens. The framework bounds the time of a connection's first request head and of its idle time, but
//! not of a later head that was begun and is never finished; that is done here.
//!
//! Each connection knows whether a request of it is being served, and since when none is. One that has been quiet for longer than
//! it may is shut, whether it sent nothing or half a head: from outside the two look alike.
//!
//! Where nearly as many are open as there may be, those that have waited for their caller the longest are shut to make room, so that
//! whoever opens thousands and leaves them idle, or feeds them an octet at a time, keeps nobody out. A connection whose request has
//! been read is never shut; one whose request still lies unread in the kernel or the parser may be.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::dev::Extensions;

use super::paced::Paced;

/// However full the house is, a caller has this long to send the next piece of a request.
const GRACE: Duration = Duration::from_secs(1);

/// One connection.
pub(super) struct Connection {
    /// Whether it ends, whatever its caller does.
    is_shut: AtomicBool,
    /// Wakes whoever reads from it and writes to it.
    served_by: Mutex<Option<Waker>>,
    serving: AtomicUsize,
    /// Of the requests that are being served, those whose body has not come yet.
    awaiting: AtomicUsize,
    quiet_since: Mutex<Instant>,
}

/// Says, as long as it lives, that a request of a connection is being served.
pub(super) struct Serving(Arc<Connection>);

/// Says, as long as it lives, that the body of a request has not come yet.
pub(super) struct Awaiting(Arc<Connection>);

impl Awaiting {
    /// The body of `request` is being waited for.
    pub(super) fn body_of(request: &HttpRequest) -> Option<Self> {
        let connection = request.conn_data::<Arc<Connection>>()?;
        *connection.quiet_since() = Instant::now();
        connection.awaiting.fetch_add(1, Ordering::AcqRel);
        Some(Self(Arc::clone(connection)))
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        self.0.awaiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Connection {
    /// Whether nothing is being done for its caller.
    fn is_idle(&self) -> bool {
        self.serving.load(Ordering::Acquire) == 0
    }

    /// Whether the body of a request that is being served has not come yet.
    pub(super) fn waits_for_a_body(&self) -> bool {
        self.awaiting.load(Ordering::Acquire) > 0
    }

    /// Whether it is the caller's turn: no request is being served, or one whose body has not come.
    fn waits_for_its_caller(&self) -> bool {
        self.is_idle() || self.waits_for_a_body()
    }

    /// Whether a request is being served that needs nothing more from the caller.
    pub(super) fn is_at_work(&self) -> bool {
        !self.waits_for_its_caller()
    }

    /// Notes who is to be woken when the connection is shut.
    pub(super) fn is_served_by(&self, waker: &Waker) {
        let mut served_by = self.served_by();
        if !served_by.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *served_by = Some(waker.clone());
        }
    }

    /// Whether nothing is read from it and written to it any more.
    pub(super) fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    fn shut(&self) {
        self.is_shut.store(true, Ordering::Release);
        if let Some(waker) = &*self.served_by() {
            waker.wake_by_ref();
        }
    }

    fn served_by(&self) -> MutexGuard<'_, Option<Waker>> {
        self.served_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn quiet_since(&self) -> MutexGuard<'_, Instant> {
        self.quiet_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request of it is being served from now on.
    pub(super) fn serve(self: Arc<Self>) -> Serving {
        self.serving.fetch_add(1, Ordering::AcqRel);
        Serving(self)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        *self.0.quiet_since() = Instant::now();
        self.0.serving.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The connections of a listener.
#[derive(Clone)]
pub struct Connections {
    known: Arc<Mutex<Vec<Weak<Connection>>>>,
    most: usize,
}

impl Connections {
    /// Of a listener that lets in so many at one time.
    #[must_use]
    pub fn at_most(most: usize) -> Self {
        let known = Arc::default();
        Self { known, most }
    }

    /// A new connection over `stream`, which hands on what it reads as it can be served.
    pub fn open<T>(&self, stream: T) -> Paced<T> {
        let connection = Arc::new(Connection {
            is_shut: AtomicBool::new(false),
            served_by: Mutex::default(),
            serving: AtomicUsize::new(0),
            awaiting: AtomicUsize::new(0),
            quiet_since: Mutex::new(Instant::now()),
        });
        self.known().push(Arc::downgrade(&connection));
        Paced::new(stream, connection)
    }

    /// Lets the requests of a connection know it.
    pub fn introduce<T>(stream: &Paced<T>, data: &mut Extensions) {
        data.insert(Arc::clone(stream.connection()));
    }

    /// Shuts every connection that has been quiet for longer than `patience`; and, where more than seven eighths of those there may be are open, those
    /// beyond that have waited for their caller the longest. To be called every second or so.
    pub fn shut_quiet(&self, patience: Duration) {
        let mut open = self.known();
        let mut waiting = Vec::new();
        open.retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let quiet_since = *connection.quiet_since();
            if connection.is_idle() && quiet_since.elapsed() > patience {
                connection.shut();
                return false;
            }
            if connection.waits_for_its_caller() && quiet_since.elapsed() > GRACE {
                waiting.push((quiet_since, connection));
            }
            true
        });
        let beyond = open.len().saturating_sub(self.most - self.most / 8);
        if beyond > 0 {
            waiting.sort_unstable_by_key(|(quiet_since, _)| *quiet_since);
            for (_, connection) in waiting.iter().take(beyond) {
                connection.shut();
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
