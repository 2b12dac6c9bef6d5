//! A receiver of webhooks on a port of its own, which answers as it is told to and keeps what it got.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::support::server::PATIENCE;

/// How a receiver answers one request.
pub enum Reply {
    /// With this status.
    Status(u16),
    /// With a status and these lines of a head, each with its line end.
    Head(u16, String),
    /// With a status, and then with octets for as long as anybody reads them.
    Endless(u16),
    /// With a head that does not end.
    EndlessHead,
    /// With what is no HTTP.
    Nonsense,
    /// By shutting the connection.
    Nothing,
    /// Not before it is told to, which is by something being sent or by the sender being dropped; then with this status.
    Stall(Inbox<()>, u16),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub line: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a webhook is JSON")
    }
}

/// A receiver. Its thread ends with the test's process.
pub struct Receiver {
    pub address: SocketAddr,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    got: Inbox<Got>,
}

impl Receiver {
    /// One that answers with 204 whatever it was not told about.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let (tell, got) = channel();
        let told = Arc::clone(&replies);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (told, tell) = (Arc::clone(&told), tell.clone());
                // Each on its own, so that one that stalls keeps no other waiting.
                thread::spawn(move || serve(stream, &told, &tell));
            }
        });
        Self { address, replies, got }
    }

    pub fn url(&self) -> String {
        format!("http://{}/in?team=payments", self.address)
    }

    /// What comes next is answered like this, one request after the other.
    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().unwrap().extend(replies);
    }

    /// The next request, once it is here.
    pub fn next(&self) -> Got {
        self.got.recv_timeout(PATIENCE).expect("a request comes")
    }

    /// What has come and was not looked at yet.
    pub fn rest(&self) -> Vec<Got> {
        self.got.try_iter().collect()
    }
}

fn serve(stream: TcpStream, replies: &Mutex<VecDeque<Reply>>, tell: &Sender<Got>) {
    let mut reader = BufReader::new(&stream);
    let Some(got) = read(&mut reader) else {
        return;
    };
    let reply = replies.lock().unwrap().pop_front().unwrap_or(Reply::Status(204));
    // The test may have ended, or the other side may have gone: then there is nobody to tell.
    let _ = tell.send(got);
    let _ = answer(&stream, reply);
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Got> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut lines = lines.into_iter();
    let line = lines.next()?;
    let headers: BTreeMap<_, _> = lines
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    Some(Got { line, headers, body })
}

fn answer(mut stream: &TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Status(status) => write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
        Reply::Head(status, lines) => write!(stream, "HTTP/1.1 {status} X\r\n{lines}content-length: 0\r\n\r\n"),
        Reply::Endless(status) => {
            write!(stream, "HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\n\r\n")?;
            loop {
                write!(stream, "400\r\n{}\r\n", "x".repeat(1024))?;
            }
        }
        Reply::EndlessHead => {
            write!(stream, "HTTP/1.1 200 X\r\n")?;
            loop {
                write!(stream, "x-filler: {}\r\n", "x".repeat(1024))?;
            }
        }
        Reply::Nonsense => write!(stream, "220 mail.example.com ESMTP\r\n"),
        Reply::Nothing => Ok(()),
        Reply::Stall(until, status) => {
            let _ = until.recv_timeout(PATIENCE);
            write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n")
        }
    }
}
