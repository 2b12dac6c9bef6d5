//! Asks a server for tokens at a given rate, and prints how long the answers took: for the latencies of `scripts/bench.sh`.
//!
//! `pace ADDRESS:PORT CREDENTIALS RATE SECONDS` sends at moments that are drawn beforehand, with exponential gaps, whether the server
//! keeps up or not, and counts each latency from the moment the request was due. So neither a slow answer delays the next question
//! unseen, nor does a timer's grain send questions in bundles. It takes a core of its own. Prints a line for each fifth of a second but
//! the first, in which connections are new: the rate, and the 50th and the 99th percentile of what was due in it, in microseconds.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mintmark::ambient::{Entropy, SystemEntropy};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Where no connection is free, a request that is due waits, and its wait counts.
const CONNECTIONS: usize = 64;
/// Of the credentials, so many are used in turn.
const CLIENTS: usize = 10;
/// Of what is due in so long a time there is one line. A virtual machine stands still for some milliseconds about once a second, whatever
/// runs on it: that spoils the lines it falls into, and not all of them.
const WINDOW: Duration = Duration::from_millis(200);
const FORM: &str = "grant_type=client_credentials";

struct Connection {
    stream: TcpStream,
    /// When the request under way was due, from the beginning on.
    due: Duration,
    received: Vec<u8>,
}

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments
            .next()
            .ok_or("usage: pace ADDRESS:PORT CREDENTIALS RATE SECONDS")
    };
    let (address, credentials) = (next()?, std::fs::read_to_string(next()?)?);
    let (rate, seconds): (f64, u64) = (next()?.parse()?, next()?.parse()?);
    if rate <= 0.0 {
        return Err("nothing is asked at no rate".into());
    }
    let requests: Vec<_> = credentials.lines().take(CLIENTS).map(request).collect();
    let mut free = (0..CONNECTIONS)
        .map(|_| Connection::open(&address))
        .collect::<Outcome<Vec<_>>>()?;
    let mut waiting = arrivals(rate, Duration::from_secs(seconds));
    let number = waiting.len();
    let windows = usize::try_from(seconds)? * 5;
    let mut turn = requests.iter().cycle();
    let mut busy: Vec<Connection> = Vec::with_capacity(CONNECTIONS);
    let mut latencies = Vec::with_capacity(number);
    let began = Instant::now();
    while latencies.len() < number {
        while let Some(&after) = waiting.front().filter(|after| began.elapsed() >= **after) {
            let Some(mut connection) = free.pop() else { break };
            connection.send(turn.next().ok_or("there are no credentials")?, after)?;
            busy.push(connection);
            waiting.pop_front();
        }
        let mut at = 0;
        while at < busy.len() {
            if busy[at].answered()? {
                let connection = busy.swap_remove(at);
                latencies.push((connection.due, began.elapsed() - connection.due));
                free.push(connection);
            } else {
                at += 1;
            }
        }
    }
    for window in 1..windows {
        tell(window, &latencies)?;
    }
    Ok(())
}

/// The line of the window of this number.
fn tell(window: usize, latencies: &[(Duration, Duration)]) -> Outcome<()> {
    let begin = WINDOW * u32::try_from(window)?;
    let within = latencies
        .iter()
        .filter(|(due, _)| (begin..begin + WINDOW).contains(due));
    let mut times: Vec<u128> = within.map(|(_, latency)| latency.as_micros()).collect();
    times.sort_unstable();
    let number = times.len();
    let (Some(median), Some(last)) = (times.get(number / 2), times.get(number * 99 / 100)) else {
        return Err("nothing was due".into());
    };
    let rate = f64::from(u32::try_from(number)?) / WINDOW.as_secs_f64();
    println!("{rate:.1} {median} {last}");
    Ok(())
}

fn request(authorization: &str) -> Vec<u8> {
    let length = FORM.len();
    format!(
        "POST /qa/token HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{FORM}"
    )
    .into_bytes()
}

/// When requests are due, from the beginning on: a Poisson process.
fn arrivals(rate: f64, time: Duration) -> VecDeque<Duration> {
    let entropy = SystemEntropy::new();
    let mut after = Duration::ZERO;
    let gaps = std::iter::repeat_with(|| {
        let mut random = [0; 4];
        entropy.fill(&mut random);
        let share = (f64::from(u32::from_ne_bytes(random)) + 1.0) / (f64::from(u32::MAX) + 1.0);
        Duration::from_secs_f64(-share.ln() / rate)
    });
    gaps.map(|gap| {
        after += gap;
        after
    })
    .take_while(|after| *after < time)
    .collect()
}

impl Connection {
    fn open(address: &str) -> Outcome<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            due: Duration::ZERO,
            received: Vec::with_capacity(4096),
        })
    }

    fn send(&mut self, request: &[u8], due: Duration) -> Outcome<()> {
        self.due = due;
        self.received.clear();
        Ok(self.stream.write_all(request)?)
    }

    /// Whether the whole answer has come. Any but a token is an error.
    fn answered(&mut self) -> Outcome<bool> {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(0) => Err("the server closed a connection".into()),
            Ok(read) => {
                self.received.extend_from_slice(&piece[..read]);
                self.complete()
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn complete(&self) -> Outcome<bool> {
        let text = std::str::from_utf8(&self.received)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Ok(false);
        };
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(format!("the answer is {head}").into());
        }
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse::<usize>()
                    .ok()
            })
            .ok_or("an answer says no length")?;
        Ok(body.len() >= length)
    }
}
