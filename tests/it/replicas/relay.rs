//! A stretch of network between a server and PostgreSQL that the test holds in its hand: it carries, it stands still, it is cut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::support::postgresql::Cluster;

/// The stretch. Cut when dropped.
pub struct Relay {
    line: Arc<Line>,
    port: u16,
}

/// What becomes of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Carrying,
    /// Connections stay open and can be opened; nothing arrives, in either direction.
    Still,
    /// Connections are gone, and end as soon as they are opened.
    Cut,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
    open: Mutex<Vec<(TcpStream, UnixStream)>>,
}

impl Relay {
    /// To the socket of `cluster`.
    pub fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let line = Arc::new(Line {
            state: Mutex::new(State::Carrying),
            changed: Condvar::new(),
            open: Mutex::default(),
        });
        let (inside, socket) = (Arc::clone(&line), cluster.folder.join(".s.PGSQL.5432"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                inside.connect(stream.expect("connections come in"), &socket);
            }
        });
        Self { line, port }
    }

    /// Leads through it.
    pub fn url(&self) -> String {
        format!("postgresql://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Lets nothing through from now on, and keeps what was on its way.
    pub fn hold(&self) {
        self.line.turn(State::Still);
    }

    /// Ends all connections, and each that is opened from now on.
    pub fn cut(&self) {
        self.line.turn(State::Cut);
        for (near, far) in self.line.open.lock().unwrap().drain(..) {
            // One that has ended by itself is as good as cut.
            let _ = near.shutdown(Shutdown::Both);
            let _ = far.shutdown(Shutdown::Both);
        }
    }

    /// Carries again, what was held first.
    pub fn restore(&self) {
        self.line.turn(State::Carrying);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Line {
    fn turn(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, near: TcpStream, socket: &PathBuf) {
        let mut open = self.open.lock().unwrap();
        if *self.state.lock().unwrap() == State::Cut {
            return;
        }
        let far = UnixStream::connect(socket).expect("PostgreSQL listens");
        let again = (near.try_clone().unwrap(), far.try_clone().unwrap());
        open.push((near.try_clone().unwrap(), far.try_clone().unwrap()));
        let (there, back) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || there.carry(near, far));
        thread::spawn(move || back.carry(again.1, again.0));
    }

    /// Carries from one end to the other until one is closed.
    fn carry(&self, mut from: impl Read, mut to: impl End) {
        let mut piece = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            let state = self.state.lock().unwrap();
            drop(self.changed.wait_while(state, |state| *state == State::Still).unwrap());
            if to.write_all(&piece[..count]).is_err() {
                break;
            }
        }
        to.end();
    }
}

/// Where octets can be sent, until the sender says that it was the last.
trait End: Write {
    fn end(&self);
}

impl End for TcpStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

impl End for UnixStream {
    fn end(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}
