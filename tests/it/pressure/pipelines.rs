//! Requests that are sent ahead of their answers (RFC 9112 §9.3.2): few, thousands, and without a wish to read; and heads without an end.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::pressure::World;
use crate::support::server::{Installation, PATIENCE};

/// The answers of one connection, one after the other.
struct Answers {
    stream: BufReader<TcpStream>,
    /// Whether one has said that no other follows.
    is_last: bool,
}

impl Answers {
    fn of(stream: &TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream: BufReader::new(stream.try_clone().unwrap()),
            is_last: false,
        }
    }

    /// The status of the next, and the name of its request.
    fn next(&mut self) -> (u16, String) {
        let (status, name, _) = self.read();
        (status, name)
    }

    /// The body of the next, which has this status, and does not say that it is the last.
    fn expect(&mut self, status: u16) -> Vec<u8> {
        let (found, _, body) = self.read();
        assert_eq!(found, status, "{}", String::from_utf8_lossy(&body));
        assert!(!self.is_last, "more was asked for on this connection");
        body
    }

    fn read(&mut self) -> (u16, String, Vec<u8>) {
        let (mut status, mut name, mut length) = (None, String::new(), 0);
        loop {
            let mut line = String::new();
            let read = self.stream.read_line(&mut line).expect("the server answers in time");
            assert_ne!(read, 0, "the connection ends within an answer, or before it");
            let line = line.trim_end();
            match line.split_once(": ") {
                _ if status.is_none() => status = line.split(' ').nth(1).map(|status| status.parse().unwrap()),
                Some(("x-request-id", value)) => value.clone_into(&mut name),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("connection", value)) => self.is_last = value == "close",
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        (status.expect("an answer begins with its status"), name, body)
    }
}

/// So many requests for `path`, each with its number for a name.
fn requests(path: &str, numbers: impl Iterator<Item = usize>) -> Vec<u8> {
    let one = |number| format!("GET {path} HTTP/1.1\r\nHost: a\r\nX-Request-Id: number-{number}\r\n\r\n");
    numbers.map(one).collect::<String>().into_bytes()
}

fn assert_answered_in_order(answers: &mut Answers, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        assert_eq!(answers.next(), (200, format!("number-{number}")));
    }
}

/// A connection on which as many requests are sent as are taken, and nothing is read.
fn reads_nothing(address: SocketAddr, octets: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(50))).unwrap();
    // That not all of it is taken is the point.
    let _ = stream.write_all(octets);
    stream
}

/// Sends a hundred requests of the partner's for a token at once, and then as many revocations of what it got.
fn tokens_are_all_issued(world: &World) {
    let mut stream = TcpStream::connect(world.server.public()).unwrap();
    let mut answers = Answers::of(&stream);
    stream.write_all(&world.asking(&world.partner, "").repeat(100)).unwrap();
    let revocations: Vec<_> = (0..100)
        .map(|_| {
            let issued: Value = serde_json::from_slice(&answers.expect(200)).unwrap();
            let form = format!("token={}", issued["access_token"].as_str().unwrap());
            world.posting("/qa/revoke", &form)
        })
        .collect();
    stream.write_all(&revocations.concat()).unwrap();
    for _ in 0..100 {
        assert_eq!(answers.expect(200), b"");
    }
}

fn many_revocations(installation: Installation) -> Installation {
    installation.with("limits.revocations_per_minute", "1000")
}

mod postgresql {
    use super::*;

    #[test]
    fn tokens_asked_for_ahead_are_all_issued() {
        tokens_are_all_issued(&World::warm(many_revocations(Installation::postgresql())));
    }
}

mod sqlite {
    use super::*;
    use crate::pressure::process::Process;
    use crate::support::wire::{Wire, exchange};

    /// Something whose answer is so large that some dozens fill what the system keeps for a connection.
    const LARGE: &[u8] = b"GET /admin/v1/openapi.json HTTP/1.1\r\nHost:\r\n\r\n";

    /// By when everything that can be answered is answered.
    const SETTLED: Duration = Duration::from_secs(10);

    #[test]
    fn requests_sent_ahead_are_answered_in_their_order() {
        let world = World::warm(Installation::sqlite());
        let mut stream = TcpStream::connect(world.server.public()).unwrap();
        let mut answers = Answers::of(&stream);
        for group in 0..625 {
            let numbers = group * 16..(group + 1) * 16;
            stream.write_all(&requests("/livez", numbers.clone())).unwrap();
            assert_answered_in_order(&mut answers, numbers);
        }
    }

    #[test]
    fn whoever_reads_may_send_thousands_ahead() {
        let world = World::warm(Installation::sqlite());
        let mut stream = TcpStream::connect(world.server.public()).unwrap();
        let mut answers = Answers::of(&stream);
        let sent = thread::spawn(move || stream.write_all(&requests("/qa/jwks", 0..10_000)));
        assert_answered_in_order(&mut answers, 0..10_000);
        sent.join().unwrap().unwrap();
    }

    #[test]
    fn tokens_asked_for_ahead_are_all_issued() {
        tokens_are_all_issued(&World::warm(many_revocations(Installation::sqlite())));
    }

    #[test]
    fn a_body_that_nobody_reads_is_never_a_request() {
        let world = World::warm(Installation::sqlite());
        let hidden = requests("/livez", 0..2_000);
        let length = hidden.len();
        let head = format!("POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
        let octets = [head.as_bytes(), &hidden, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        for address in [world.server.public(), world.server.admin_address()] {
            let mut wire = Wire::open(address);
            wire.send(&octets);
            let answers = wire.everything();
            assert!(
                answers.starts_with(b"HTTP/1.1 404 "),
                "{}",
                String::from_utf8_lossy(&answers)
            );
            let count = answers.windows(9).filter(|octets| octets == b"HTTP/1.1 ").count();
            assert_eq!(count, 1, "{}", String::from_utf8_lossy(&answers));
        }
    }

    #[test]
    fn whoever_reads_nothing_costs_no_time_and_little_memory() {
        let world = World::warm(Installation::sqlite());
        let address = world.server.admin_address();
        let ahead = LARGE.repeat(10_000);
        let before = Process::of(&world.server);
        let held: Vec<_> = (0..50).map(|_| reads_nothing(address, &ahead)).collect();
        assert_eq!(exchange(address, b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
        let (since, mut most) = (Instant::now(), 0);
        // What was sent to the last may still be answered, as far as there is room for the answers; then nothing is left to do.
        loop {
            let full = Process::of(&world.server);
            let idle = TcpStream::connect(world.server.public()).unwrap();
            idle.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
            assert!(Wire::over(idle).is_silent());
            let after = Process::of(&world.server);
            most = most.max(full.kib).max(after.kib);
            let spent = after.worked - full.worked;
            if spent < Duration::from_millis(200) {
                break;
            }
            assert!(since.elapsed() < SETTLED, "{spent:?} in two seconds");
        }
        drop(held);
        let kib = most - before.kib;
        assert!(kib < 50 * 600, "{kib} KiB for fifty connections");
    }

    #[test]
    fn whoever_reads_late_has_all_of_it() {
        const COUNT: usize = 200;
        let world = World::warm(Installation::sqlite());
        let mut stream = TcpStream::connect(world.server.admin_address()).unwrap();
        let mut answers = Answers::of(&stream);
        let sent = thread::spawn(move || stream.write_all(&LARGE.repeat(COUNT)));
        let idle = TcpStream::connect(world.server.public()).unwrap();
        idle.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        assert!(Wire::over(idle).is_silent());
        for _ in 0..COUNT {
            assert_eq!(answers.next().0, 200);
        }
        sent.join().unwrap().unwrap();
    }

    #[test]
    fn whoever_reads_nothing_is_let_go() {
        let installation = Installation::sqlite()
            .with("limits.keep_alive", "1s")
            .with("limits.header_timeout", "1s");
        let world = World::warm(installation);
        for address in [world.server.public(), world.server.admin_address()] {
            let mut stream = reads_nothing(address, &LARGE.repeat(100_000));
            let since = Instant::now();
            while stream
                .write(LARGE)
                .map_or_else(|error| error.kind() == ErrorKind::WouldBlock, |_| true)
            {
                assert!(since.elapsed() < PATIENCE, "it is held for ever");
            }
        }
    }

    #[test]
    fn empty_lines_in_a_body_are_its_own_affair() {
        let installation = Installation::sqlite();
        let owner = installation.owner();
        let server = installation.start();
        let mut stream = TcpStream::connect(server.admin_address()).unwrap();
        let mut answers = Answers::of(&stream);
        let (admin, mut octets) = (server.admin(&owner), Vec::new());
        for (number, lines) in ["\n", "\r\n"].into_iter().enumerate() {
            let lines = lines.repeat(10_000);
            let body = format!("{lines}{{\"partner_id\":\"p-{number}\",{lines}\"name\":\"A\"}}");
            let length = body.len();
            octets.extend(
                format!(
                    "POST /admin/v1/partners HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {owner}\r\n\
                     Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
                )
                .into_bytes(),
            );
        }
        let sent = thread::spawn(move || stream.write_all(&octets));
        assert_eq!((answers.next().0, answers.next().0), (201, 201));
        sent.join().unwrap().unwrap();
        let partners = admin.list("/partners");
        let names: Vec<_> = partners.iter().map(|partner| &partner["partner_id"]).collect();
        assert_eq!(names, [&Value::from("p-0"), &Value::from("p-1")]);
    }

    #[test]
    fn a_head_longer_than_any_is_refused_without_a_panic() {
        let world = World::warm(Installation::sqlite());
        for address in [world.server.public(), world.server.admin_address()] {
            for length in [60_000, 65_535, 65_536, 70_000, 200_000] {
                let name = "X".repeat(length);
                let head = format!("GET /livez HTTP/1.1\r\nHost: a\r\n{name}: a\r\n\r\n");
                assert_eq!(exchange(address, head.as_bytes()).status, 431, "{length}");
            }
            let head = format!("GET /livez HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(30_000));
            assert_eq!(exchange(address, head.as_bytes()).status, 200);
        }
        let (code, log) = world.server.stop();
        assert_eq!(code, Some(0));
        assert!(!log.contains("panic"), "{log}");
    }
}
