//! A load: several kept connections to each replica, on each of which the same questions are asked over and over, with a record of
//! when each was sent and what was said.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::question::{Asks, Question, Told};

/// How long anything may take before the test fails instead of hanging.
const PATIENCE: Duration = Duration::from_mins(2);

/// One question, and what became of it.
#[derive(Clone, Debug)]
pub struct Observation {
    pub replica: usize,
    pub subject: usize,
    pub asks: Asks,
    /// Before its first octet was sent.
    pub sent: Instant,
    /// After the last octet of the answer was read.
    pub received: Instant,
    pub told: Told,
}

/// A load that runs.
pub struct Load {
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
    threads: Vec<JoinHandle<Vec<Observation>>>,
}

/// What can be counted while a load runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Answers that say yes or no.
    Known,
    /// Those that say yes.
    Yes,
    /// 503.
    Unavailable,
}

#[derive(Default)]
struct Tally {
    counts: Mutex<HashMap<(usize, Kind), usize>>,
    more: Condvar,
}

impl Tally {
    fn note(&self, replica: usize, told: &Told) {
        let mut counts = self.counts.lock().unwrap();
        for (kind, is) in [
            (Kind::Known, told.is_known()),
            (Kind::Yes, told.is_yes()),
            (Kind::Unavailable, *told == Told::Unavailable),
        ] {
            if is {
                *counts.entry((replica, kind)).or_default() += 1;
            }
        }
        self.more.notify_all();
    }
}

impl Load {
    /// Asks all `questions` in turn on so many connections to each of `replicas`, until it is ended.
    pub fn start(replicas: &[(usize, SocketAddr)], connections: usize, questions: &[Question]) -> Self {
        let (stop, tally) = (Arc::<AtomicBool>::default(), Arc::<Tally>::default());
        let mut threads = Vec::new();
        for &replica in replicas {
            for first in 0..connections {
                let mut turn = questions.to_vec();
                // Each begins with another question, so that all are asked at all times.
                turn.rotate_left(first % questions.len());
                let (stop, tally) = (Arc::clone(&stop), Arc::clone(&tally));
                threads.push(thread::spawn(move || ask(replica, &turn, (&stop, &tally))));
            }
        }
        Self { stop, tally, threads }
    }

    /// Returns after so many more answers of this kind from each of `replicas`.
    pub fn wait_for(&self, count: usize, kind: Kind, replicas: &[usize]) {
        let deadline = Instant::now() + PATIENCE;
        let mut counts = self.tally.counts.lock().unwrap();
        let of = |counts: &HashMap<_, usize>, replica| counts.get(&(replica, kind)).copied().unwrap_or_default();
        let wanted: Vec<_> = replicas
            .iter()
            .map(|replica| (*replica, of(&counts, *replica) + count))
            .collect();
        while wanted.iter().any(|(replica, count)| of(&counts, *replica) < *count) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "never {count} more of {kind:?}: {counts:?}, wanted {wanted:?}"
            );
            counts = self.tally.more.wait_timeout(counts, left).unwrap().0;
        }
    }

    /// Ends it and gives what was seen.
    pub fn end(self) -> Vec<Observation> {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen = Vec::new();
        for thread in self.threads {
            seen.extend(thread.join().expect("every answer can be read"));
        }
        seen
    }
}

fn ask(
    (replica, address): (usize, SocketAddr),
    turn: &[Question],
    (stop, tally): (&AtomicBool, &Tally),
) -> Vec<Observation> {
    let (mut seen, mut kept) = (Vec::new(), None);
    for question in turn.iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let sent = Instant::now();
        let told = exchange(address, &mut kept, question);
        tally.note(replica, &told);
        seen.push(Observation {
            replica,
            subject: question.subject,
            asks: question.asks.clone(),
            sent,
            received: Instant::now(),
            told,
        });
    }
    seen
}

/// Asks on the kept connection, or on a new one where there is none. What breaks it is not sent again.
fn exchange(address: SocketAddr, kept: &mut Option<Connection>, question: &Question) -> Told {
    let Some(mut connection) = kept.take().or_else(|| Connection::open(address).ok()) else {
        return Told::Nothing;
    };
    match connection.send(&question.octets).and_then(|()| connection.answer()) {
        Ok(answer) => {
            if !answer.closes() {
                *kept = Some(connection);
            }
            question.read(&answer)
        }
        Err(_) => Told::Nothing,
    }
}

/// A question that was sent and whose answer is still to be read.
pub struct Sent {
    connection: Connection,
    question: Question,
    replica: usize,
    sent: Instant,
}

impl Sent {
    /// Sends it on a connection of its own, to a server that may be standing still.
    pub fn send((replica, address): (usize, SocketAddr), question: Question) -> Self {
        let sent = Instant::now();
        let mut connection = Connection::open(address).expect("the system takes connections for a server that listens");
        connection
            .send(&question.octets)
            .expect("the system takes a few octets");
        Self {
            connection,
            question,
            replica,
            sent,
        }
    }

    /// Reads the answer.
    pub fn read(mut self) -> Observation {
        let answer = self.connection.answer().expect("the server answers");
        Observation {
            replica: self.replica,
            subject: self.question.subject,
            told: self.question.read(&answer),
            asks: self.question.asks,
            sent: self.sent,
            received: Instant::now(),
        }
    }
}
