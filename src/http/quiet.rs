//! Connections on which nothing happens. The framework bounds the time of a connection's first request head and of its idle time, but
//! not of a later head that was begun and is never finished; that is done here.
//!
//! Each connection knows whether a request of it is being served, and since when none is. One that has been quiet for longer than
//! it may is shut, whether it sent nothing or half a head: from outside the two look alike.

use std::any::Any;
use std::io;
use std::net::{Shutdown, TcpStream as Socket};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

/// One connection.
pub(super) struct Connection {
    /// A second handle on its socket, by which it can be shut.
    socket: Socket,
    serving: AtomicUsize,
    quiet_since: Mutex<Instant>,
}

/// Says, as long as it lives, that a request of a connection is being served.
pub(super) struct Serving(Arc<Connection>);

impl Connection {
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
#[derive(Clone, Default)]
pub struct Connections(Arc<Mutex<Vec<Weak<Connection>>>>);

impl Connections {
    /// Notes a new connection, for the listener to call. One whose socket cannot be had twice is left to the framework alone.
    pub fn note(&self, stream: &dyn Any, data: &mut Extensions) {
        let plain = stream.downcast_ref::<TcpStream>();
        let stream = plain.or_else(|| stream.downcast_ref::<TlsStream<TcpStream>>().map(|tls| tls.get_ref().0));
        if let Some(Ok(socket)) = stream.map(second_handle) {
            let (serving, quiet_since) = (AtomicUsize::new(0), Mutex::new(Instant::now()));
            let connection = Arc::new(Connection {
                socket,
                serving,
                quiet_since,
            });
            self.open().push(Arc::downgrade(&connection));
            data.insert(connection);
        }
    }

    /// Shuts every connection that has been quiet for longer than `patience`; to be called every second or so.
    pub fn shut_quiet(&self, patience: Duration) {
        self.open().retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let idle = connection.serving.load(Ordering::Acquire) == 0;
            if idle && connection.quiet_since().elapsed() > patience {
                // One that the other side has shut meanwhile is as good as shut.
                let _ = connection.socket.shutdown(Shutdown::Both);
                return false;
            }
            true
        });
    }

    fn open(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn second_handle(stream: &TcpStream) -> io::Result<Socket> {
    stream.as_fd().try_clone_to_owned().map(Socket::from)
}
