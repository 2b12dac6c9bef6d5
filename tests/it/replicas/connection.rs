//! A kept connection to a server, written by hand: a load has to be cheaper to make than to serve.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open connection.
pub struct Connection {
    stream: TcpStream,
    /// What was read and belongs to no answer yet.
    read: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of the first header of this name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// Whether the server takes no further request on this connection (RFC 9112 §9.6).
    pub fn closes(&self) -> bool {
        self.header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            read: Vec::new(),
        })
    }

    /// Whether the server has closed it, or sent what nobody asked for.
    pub fn is_over(&self) -> bool {
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && self
                .stream
                .peek(&mut [0])
                .is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        !(quiet && self.stream.set_nonblocking(false).is_ok())
    }

    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// The next answer; an error when the connection ends before it is whole.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some(answer) = self.whole() {
                return Ok(answer);
            }
            let mut piece = [0; 8 * 1024];
            match self.stream.read(&mut piece)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                count => self.read.extend_from_slice(&piece[..count]),
            }
        }
    }

    /// Takes an answer out of what was read, if all of it is there. Every answer here announces its length.
    fn whole(&mut self) -> Option<Answer> {
        let end = 4 + self.read.windows(4).position(|window| window == b"\r\n\r\n")?;
        let mut answer = Answer {
            status: 0,
            head: String::from_utf8(self.read[..end].to_vec()).expect("heads are ASCII"),
            body: Vec::new(),
        };
        let status = answer.head.split(' ').nth(1).and_then(|status| status.parse().ok());
        answer.status = status.expect("an answer begins with its status");
        let length = answer.header("content-length").and_then(|length| length.parse().ok());
        let length: usize = length.expect("an answer announces its length");
        if self.read.len() < end + length {
            return None;
        }
        answer.body = self.read[end..end + length].to_vec();
        self.read.drain(..end + length);
        Some(answer)
    }
}
