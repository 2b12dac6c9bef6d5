//! HTTP/1.1 as octets: what a well-behaved client library would refuse to send must be sendable here.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long a test waits for octets before it fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// In their order, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An open connection.
pub struct Wire(TcpStream);

impl Wire {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the installation listens");
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends octets; whether the other side still listens is its own affair.
    pub fn send(&mut self, octets: &[u8]) -> bool {
        self.0.write_all(octets).is_ok()
    }

    /// Says that nothing more comes.
    pub fn finish(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// On a connection of the test's own, with its time for reading.
    pub const fn over(stream: TcpStream) -> Self {
        Self(stream)
    }

    /// With the usual time for reading.
    pub fn patiently(self) -> Self {
        self.0.set_read_timeout(Some(PATIENCE)).unwrap();
        self
    }

    /// Whether nothing comes within the time for reading.
    pub fn is_silent(&self) -> bool {
        let waited = self.0.peek(&mut [0]);
        waited.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// What comes up to the first empty line: the head of an answer, the whole of an interim one (RFC 9110 §15.2).
    pub fn head(&mut self) -> String {
        let mut octets = Vec::new();
        while !octets.ends_with(b"\r\n\r\n") {
            let mut octet = [0];
            let count = self.0.read(&mut octet).expect("the server answers in time");
            assert_ne!(count, 0, "no head of an answer: {:?}", String::from_utf8_lossy(&octets));
            octets.push(octet[0]);
        }
        String::from_utf8(octets).expect("heads are ASCII")
    }

    /// Everything until the other side closes.
    pub fn everything(&mut self) -> Vec<u8> {
        self.until(|_| false)
    }

    /// The next answer.
    pub fn answer(&mut self) -> Answer {
        let octets = self.until(|octets| Answer::parse(octets).is_some_and(|answer| answer.is_whole()));
        Answer::parse(&octets).unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(&octets)))
    }

    fn until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut piece = [0; 16 * 1024];
        while !enough(&octets) {
            match self.0.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => octets.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("no end: {error}, after {:?}", String::from_utf8_lossy(&octets)),
            }
        }
        octets
    }
}

/// Sends `octets` on a connection of its own and reads what comes back, if it is an answer.
pub fn exchange(address: SocketAddr, octets: &[u8]) -> Answer {
    let mut wire = Wire::open(address);
    wire.send(octets);
    wire.answer()
}

impl Answer {
    fn parse(octets: &[u8]) -> Option<Self> {
        let end = octets.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&octets[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let body = octets[end + 4..].to_vec();
        Some(Self { status, headers, body })
    }

    /// Whether all of the announced body is there. What announces none ends with the connection.
    fn is_whole(&self) -> bool {
        let announced = self.header("content-length").and_then(|length| length.parse().ok());
        announced.is_some_and(|length: usize| self.body.len() >= length)
    }

    /// The value of the one header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.as_str());
        assert_eq!(values.next(), None, "{name} is sent twice");
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("answers are UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }

    /// All that must not tell two refusals apart: without the date and the name of the request.
    pub fn likeness(&self) -> Self {
        let told = |name: &str| name != "date" && name != "x-request-id";
        Self {
            headers: self.headers.iter().filter(|(name, _)| told(name)).cloned().collect(),
            ..self.clone()
        }
    }
}
