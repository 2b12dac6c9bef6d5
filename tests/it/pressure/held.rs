//! Connections that an attacker holds.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an attacker waits to be let in: long enough for the system to ask a second time.
const PATIENCE: Duration = Duration::from_secs(2);

/// Connections of one attacker, who can open a new one for each that is shut.
pub struct Held {
    address: SocketAddr,
    begins_with: Vec<u8>,
    pub streams: Vec<TcpStream>,
    /// How often one was answered or shut by the server.
    pub shut: usize,
}

impl Held {
    /// Opens so many, as far as they are let in, and sends on each what it begins with.
    pub fn open(address: SocketAddr, count: usize, begins_with: &[u8]) -> Self {
        let mut held = Self {
            address,
            begins_with: begins_with.to_vec(),
            streams: Vec::new(),
            shut: 0,
        };
        held.fill(count);
        held
    }

    /// Opens connections until there are so many, or until nobody else is let in for now.
    pub fn fill(&mut self, count: usize) {
        while self.streams.len() < count {
            let Ok(mut stream) = TcpStream::connect_timeout(&self.address, PATIENCE) else {
                return;
            };
            let begun = stream.write_all(&self.begins_with);
            stream.set_nonblocking(true).unwrap();
            if begun.is_ok() {
                self.streams.push(stream);
            }
        }
    }

    /// Sends `piece` on each, as much of it as is taken, and lets go of those that were shut.
    pub fn send(&mut self, piece: &[u8]) {
        let before = self.streams.len();
        self.streams
            .retain_mut(|stream| is_open(stream) && takes(stream, piece));
        self.shut += before - self.streams.len();
    }
}

/// Takes what has come. An answer is no end.
fn is_open(stream: &mut TcpStream) -> bool {
    loop {
        match stream.read(&mut [0; 4096]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}

fn takes(stream: &mut TcpStream, piece: &[u8]) -> bool {
    let taken = stream.write_all(piece);
    taken.is_ok() || taken.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
