//! Connections on which nothing happens. The framework bounds the time of a connection's first request head and of its idle time, but
//! not of a later head that was begun and is never finished; that is done here.
//!
//! Each connection knows whether a request of it is being served, and since when none is. One that has been quiet for longer than
//! it may is shut, whether it sent nothing or half a head: from outside the two look alike.
//!
//! Where nearly as many are open as there may be, those that have waited for their caller the longest are shut to make room, so that
//! whoever opens thousands and leaves them idle, or feeds them an octet at a time, keeps nobody out. A connection whose request has
//! been read is never shut; one whose request still lies unread in the kernel or the parser may be.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream as Socket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpRequest;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

/// However full the house is, a caller has this long to send the next piece of a request.
const GRACE: Duration = Duration::from_secs(1);

/// One connection.
pub(super) struct Connection {
    /// A second handle on its socket, by which it can be shut.
    socket: Socket,
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

    /// Whether it is the caller's turn: no request is being served, or one whose body has not come.
    fn waits_for_its_caller(&self) -> bool {
        self.is_idle() || self.awaiting.load(Ordering::Acquire) > 0
    }

    fn shut(&self) {
        // One that the other side has shut meanwhile is as good as shut.
        let _ = self.socket.shutdown(Shutdown::Both);
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
    open: Arc<Mutex<Vec<Weak<Connection>>>>,
    most: usize,
}

impl Connections {
    /// Of a listener that lets in so many at one time.
    #[must_use]
    pub fn at_most(most: usize) -> Self {
        let open = Arc::default();
        Self { open, most }
    }

    /// Notes a new connection, for the listener to call. One whose socket cannot be had twice is left to the framework alone.
    pub fn note(&self, stream: &dyn Any, data: &mut Extensions) {
        let plain = stream.downcast_ref::<TcpStream>();
        let stream = plain.or_else(|| stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0));
        if let Some(Ok(socket)) = stream.map(second_handle) {
            let connection = Arc::new(Connection {
                socket,
                serving: AtomicUsize::new(0),
                awaiting: AtomicUsize::new(0),
                quiet_since: Mutex::new(Instant::now()),
            });
            self.open().push(Arc::downgrade(&connection));
            data.insert(connection);
        }
    }

    /// Shuts every connection that has been quiet for longer than `patience`; and, where more than seven eighths of those there may be are open, those
    /// beyond that have waited for their caller the longest. To be called every second or so.
    pub fn shut_quiet(&self, patience: Duration) {
        let mut open = self.open();
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

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn second_handle(stream: &TcpStream) -> io::Result<Socket> {
    stream.as_fd().try_clone_to_owned().map(Socket::from)
}
