//! A rolling upgrade: one replica after the other is stopped and followed by another, behind a balancer that goes by readiness, and no
//! request is lost.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::connection::Connection;
use super::fleet::Fleet;
use super::question::{Question, Told};
use super::subject::Ending;
use crate::store::Aside;
use crate::support::calls::Caller;
use crate::support::server::{Installation, PATIENCE, Signal};

/// Callers behind the balancer.
const CALLERS: usize = 4;
/// Answers waited for between one event and the next.
const REQUESTS: usize = 200;

/// Sends each request to the next replica there is, on a connection that it keeps to it.
struct Balancer {
    replicas: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
    answered: AtomicUsize,
    stop: AtomicBool,
}

impl Balancer {
    fn next(&self) -> SocketAddr {
        let replicas = self.replicas.lock().unwrap();
        replicas[self.turn.fetch_add(1, Ordering::SeqCst) % replicas.len()]
    }

    fn take_out(&self, address: SocketAddr) {
        self.replicas.lock().unwrap().retain(|each| *each != address);
    }

    fn put_in(&self, address: SocketAddr) {
        self.replicas.lock().unwrap().push(address);
    }

    /// A caller: asks in turn until the end, and gives what it was told.
    fn call(self: &Arc<Self>, questions: &[Question]) -> JoinHandle<Vec<Told>> {
        let (balancer, questions) = (Arc::clone(self), questions.to_vec());
        thread::spawn(move || {
            let (mut kept, mut told) = (HashMap::new(), Vec::new());
            for question in questions.iter().cycle() {
                if balancer.stop.load(Ordering::SeqCst) {
                    break;
                }
                told.push(balancer.exchange(&mut kept, question));
                balancer.answered.fetch_add(1, Ordering::SeqCst);
            }
            told
        })
    }

    /// Once a request was sent it is not sent again: who knows what became of it (RFC 9110 §9.2.2).
    fn exchange(&self, kept: &mut HashMap<SocketAddr, Connection>, question: &Question) -> Told {
        let (address, mut connection) = self.connection(kept);
        match connection.send(&question.octets).and_then(|()| connection.answer()) {
            Ok(answer) => {
                if !answer.closes() {
                    kept.insert(address, connection);
                }
                question.read(&answer)
            }
            Err(_) => Told::Nothing,
        }
    }

    /// A connection to the next replica that takes one. What is refused was not sent, and so goes to another.
    fn connection(&self, kept: &mut HashMap<SocketAddr, Connection>) -> (SocketAddr, Connection) {
        loop {
            let address = self.next();
            if let Some(connection) = kept.remove(&address).filter(|connection| !connection.is_over()) {
                return (address, connection);
            }
            if let Ok(connection) = Connection::open(address) {
                return (address, connection);
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
fn a_rolling_upgrade_under_load_loses_no_request() {
    let mut fleet = Fleet::of(Installation::postgresql().with("shutdown.notice", "2s"));
    let subject = fleet.subject(0, Ending::ClientRevoked);
    let mut questions = subject.questions();
    questions.push(Question::key_set(0, "qa"));
    let balancer = Arc::new(Balancer {
        replicas: Mutex::new(fleet.servers.iter().map(|server| server.public()).collect()),
        turn: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    });
    let callers: Vec<_> = (0..CALLERS).map(|_| balancer.call(&questions)).collect();
    balancer.wait_for(REQUESTS);
    Aside::open(fleet.installation.url()).execute(EXPANSION);
    balancer.wait_for(REQUESTS);
    for _ in 0..fleet.servers.len() {
        let old = fleet.servers.remove(0);
        old.signal(Signal::Terminate);
        let readiness = old.public_url("/readyz");
        while Caller::new().get(&readiness).status == 200 {
            // As often as a balancer can ask; what it asks is answered at once.
        }
        balancer.take_out(old.public());
        let (code, log) = old.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(!log.contains("cut off"), "{log}");
        let new = fleet.installation.start();
        balancer.put_in(new.public());
        fleet.servers.push(new);
        balancer.wait_for(REQUESTS);
    }
    // Both generations wrote one journal, and the new one ends what the old one began.
    subject.end(&fleet.servers[0].admin(&fleet.owner));
    balancer.wait_for(REQUESTS);
    balancer.stop.store(true, Ordering::SeqCst);
    let told: Vec<Told> = callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect();
    let lost: Vec<_> = told.iter().filter(|told| !told.is_known()).collect();
    assert!(
        lost.is_empty(),
        "{} of {} are lost: {:?}",
        lost.len(),
        told.len(),
        lost[0]
    );
    let refused = told
        .iter()
        .filter(|told| matches!(told, Told::Refused(401) | Told::Inactive));
    assert!(refused.count() > REQUESTS / 2, "it is not ended");
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
