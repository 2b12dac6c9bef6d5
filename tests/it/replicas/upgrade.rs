//! A rolling upgrade: one replica after the other is stopped and followed by another, behind a balancer that goes by readiness, while
//! the keys rotate. No request is lost, and no resource server meets a `kid` it cannot have.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::connection::Connection;
use super::fleet::{ALL, Fleet};
use super::load::Observation;
use super::passing::{Passing, signed_with};
use super::question::{Question, Told};
use super::subject::{Ending, assert_calm};
use crate::store::Aside;
use crate::support::calls::Caller;
use crate::support::server::{Installation, PATIENCE, Signal};

/// Callers behind the balancer.
const CALLERS: usize = 4;
/// Answers waited for between one event and the next.
const REQUESTS: usize = 200;

/// The place of a replica in the order in which they were started, and where it listens.
type Replica = (usize, SocketAddr);

/// Sends each request to the next replica there is, on a connection that it keeps to it.
struct Balancer {
    replicas: Mutex<Vec<Replica>>,
    turn: AtomicUsize,
    answered: AtomicUsize,
    stop: AtomicBool,
}

impl Balancer {
    fn next(&self) -> Replica {
        let replicas = self.replicas.lock().unwrap();
        replicas[self.turn.fetch_add(1, Ordering::SeqCst) % replicas.len()]
    }

    fn take_out(&self, replica: usize) {
        self.replicas.lock().unwrap().retain(|(each, _)| *each != replica);
    }

    fn put_in(&self, replica: Replica) {
        self.replicas.lock().unwrap().push(replica);
    }

    /// A caller: asks in turn until the end, and gives what it saw.
    fn call(self: &Arc<Self>, questions: &[Question]) -> JoinHandle<Vec<Observation>> {
        let (balancer, questions) = (Arc::clone(self), questions.to_vec());
        thread::spawn(move || {
            let (mut kept, mut seen) = (HashMap::new(), Vec::new());
            for question in questions.iter().cycle() {
                if balancer.stop.load(Ordering::SeqCst) {
                    break;
                }
                seen.push(balancer.exchange(&mut kept, question));
                balancer.answered.fetch_add(1, Ordering::SeqCst);
            }
            seen
        })
    }

    /// Once a request was sent it is not sent again: who knows what became of it (RFC 9110 §9.2.2).
    fn exchange(&self, kept: &mut HashMap<usize, Connection>, question: &Question) -> Observation {
        let (replica, mut connection) = self.connection(kept);
        let sent = Instant::now();
        let answer = connection.send(&question.octets).and_then(|()| connection.answer());
        let received = Instant::now();
        let told = answer.as_ref().map_or(Told::Nothing, |answer| question.read(answer));
        if answer.is_ok_and(|answer| !answer.closes()) {
            kept.insert(replica, connection);
        }
        Observation {
            replica,
            subject: question.subject,
            asks: question.asks.clone(),
            sent,
            received,
            told,
        }
    }

    /// A connection to the next replica that takes one. What is refused was not sent, and so goes to another.
    fn connection(&self, kept: &mut HashMap<usize, Connection>) -> (usize, Connection) {
        loop {
            let (replica, address) = self.next();
            if let Some(connection) = kept.remove(&replica).filter(|connection| !connection.is_over()) {
                return (replica, connection);
            }
            if let Ok(connection) = Connection::open(address) {
                return (replica, connection);
            }
        }
    }

    /// Returns after so many more answers.
    fn wait_for(&self, count: usize) {
        let (since, wanted) = (Instant::now(), self.answered.load(Ordering::SeqCst) + count);
        while self.answered.load(Ordering::SeqCst) < wanted {
            assert!(since.elapsed() < PATIENCE, "the requests stand still");
            thread::yield_now();
        }
    }
}

/// What the next version's migration may do while this version runs: add.
const EXPANSION: &str =
    "ALTER TABLE clients ADD COLUMN later TEXT; ALTER TABLE journal ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
    CREATE TABLE later (one BIGINT PRIMARY KEY); CREATE INDEX clients_later ON clients (later)";

#[test]
fn a_rolling_upgrade_under_load_loses_no_request_and_surprises_no_resource_server() {
    let installation = Installation::postgresql().with("jwks.max_age", "10s");
    let mut fleet = Fleet::of(installation.with("shutdown.notice", "2s"));
    let subject = fleet.subject(0, Ending::ClientRevoked);
    let mut questions = subject.questions();
    questions.push(Question::token(1, "qa", &fleet.admin.client("qa")));
    questions.push(Question::key_set(1, "qa"));
    let mut passing = Passing::begin(fleet.installation.url());
    let balancer = Arc::new(Balancer {
        replicas: Mutex::new(fleet.addresses(&ALL)),
        turn: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let callers: Vec<_> = (0..CALLERS).map(|_| balancer.call(&questions)).collect();
    balancer.wait_for(REQUESTS);
    Aside::open(fleet.installation.url()).execute(EXPANSION);
    balancer.wait_for(REQUESTS);
    for replica in ALL {
        let old = fleet.servers.remove(0);
        old.signal(Signal::Terminate);
        let readiness = old.public_url("/readyz");
        let since = Instant::now();
        // As often as a balancer can ask; what it asks is answered at once.
        while Caller::new().get(&readiness).status == 200 {
            assert!(since.elapsed() < PATIENCE, "readiness stays green");
        }
        balancer.take_out(replica);
        passing.rotate(&fleet.servers[0].admin(&fleet.owner));
        let (code, log) = old.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("cut off"), "{log}");
        let new = fleet.installation.start();
        balancer.put_in((replica + ALL.len(), new.public()));
        fleet.servers.push(new);
        balancer.wait_for(REQUESTS);
    }
    // Both generations wrote one journal, and the new one ends what the old one began.
    let ended = subject.end(&fleet.servers[0].admin(&fleet.owner));
    balancer.wait_for(REQUESTS);
    balancer.stop.store(true, Ordering::SeqCst);
    let seen: Vec<_> = callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    assert_calm(&seen);
    ended.assert_held(&seen, &ALL.map(|replica| replica + ALL.len()));
    passing.assert_known(&seen);
    assert_eq!(signed_with(&seen).len(), 1 + ALL.len(), "every key has signed");
}

/// Whoever keeps connections learns with an answer, and not with a request that is lost, that one is at its end.
#[test]
fn a_server_about_to_stop_says_so_with_each_answer() {
    let installation = Installation::postgresql().with("shutdown.notice", "1m");
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let question = Question::token(0, "qa", &admin.client("qa"));
    let mut connection = Connection::open(server.public()).unwrap();
    let mut answer = || {
        connection
            .send(&question.octets)
            .and_then(|()| connection.answer())
            .expect("the server answers")
    };
    let before = answer();
    assert_eq!((before.status, before.closes()), (200, false));
    server.signal(Signal::Terminate);
    server.log().wait_for("stopping");
    let after = answer();
    assert_eq!((after.status, after.closes()), (200, true));
    assert!(matches!(question.read(&after), Told::Token { .. }));
    assert!(answer_ends(&mut connection), "the connection is kept");
}

fn answer_ends(connection: &mut Connection) -> bool {
    connection
        .answer()
        .is_err_and(|error| error.kind() == ErrorKind::UnexpectedEof)
}
