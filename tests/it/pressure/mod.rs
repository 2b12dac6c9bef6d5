//! The built program while somebody means it harm: partners go on getting tokens, operators go on revoking, and when it is over the
//! server has given back what it took.

mod bodies;
mod connections;
mod guesses;
mod held;
mod pipelines;
mod process;
mod store;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::calls::{Admin, Caller, Credentials};
use crate::support::server::{Installation, PATIENCE, Server};
use crate::support::wire::Wire;
use process::Process;

/// The least tokens a partner asks for during an attack, and the least time the attack lasts.
const TOKENS: usize = 100;
const LASTING: Duration = Duration::from_secs(3);
/// Half of the partner's requests are answered sooner than this. A debug build on two busy cores takes one to ten milliseconds.
const MEDIAN: Duration = Duration::from_millis(250);
/// What may stay behind in the process when an attack is over. Memory in KiB: what its allocator keeps, and for each descriptor that was
/// open at the height of the attack. Descriptors: one of the store here and there.
const KEPT_KIB: usize = 32 * 1024;
const KEPT_KIB_FOR_EACH: usize = 32;
const KEPT_FILES: usize = 16;
const KEPT_THREADS: usize = 16;

/// A server with a partner who gets tokens from it, and an operator.
pub struct World {
    server: Server,
    admin: Admin,
    partner: Credentials,
    before: Process,
    _installation: Installation,
}

/// An attack, as it is seen by whoever carries it out.
pub struct Attack {
    underway: Sender<()>,
    over: Receiver<()>,
}

impl Attack {
    /// Says that it has begun in earnest.
    pub fn is_underway(&self) {
        let _ = self.underway.send(());
    }

    /// Waits for as long as an attacker does between two pieces; whether it goes on.
    pub fn goes_on_after(&self, pause: Duration) -> bool {
        self.over.recv_timeout(pause) == Err(RecvTimeoutError::Timeout)
    }
}

fn posting((path, form): (&str, &str), credentials: &Credentials, lines: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nAuthorization: {}\r\nContent-Length: {}\r\n{lines}\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        credentials.basic(),
        form.len()
    )
    .into_bytes()
}

impl World {
    /// A server that has served a token.
    pub fn warm(installation: Installation) -> Self {
        process::raise_limit_of_open_files();
        let owner = installation.owner();
        let server = installation.start();
        let admin = server.admin(&owner);
        admin.furnish();
        let partner = admin.client("qa");
        Caller::new().token(&server.public_url("/qa/token"), &partner).issued();
        let before = Process::of(&server);
        Self {
            server,
            admin,
            partner,
            before,
            _installation: installation,
        }
    }

    fn token_url(&self) -> String {
        self.server.public_url("/qa/token")
    }

    /// A request of the partner's for a token, as octets, with these header lines.
    pub fn asking(&self, credentials: &Credentials, lines: &str) -> Vec<u8> {
        let form = ("/qa/token", "grant_type=client_credentials");
        posting(form, credentials, lines)
    }

    /// A form of the partner's, as octets.
    pub fn posting(&self, path: &str, form: &str) -> Vec<u8> {
        posting((path, form), &self.partner, "")
    }

    /// Carries out `attack`, and meanwhile asks for tokens in the partner's name, and revokes a client in the operator's.
    pub fn stands(&self, attack: impl FnOnce(&Attack) + Send) {
        let (underway, begun) = channel();
        let (end, over) = channel();
        let height = thread::scope(|scope| {
            let attacker = scope.spawn(move || attack(&Attack { underway, over }));
            begun.recv_timeout(PATIENCE).expect("the attack begins");
            self.partner_is_served();
            self.revocation_gets_through();
            let height = Process::of(&self.server);
            drop(end);
            attacker.join().expect("the attack ends as it should");
            height
        });
        let most = self.before.threads + KEPT_THREADS;
        assert!(
            height.threads <= most,
            "threads are gathered: {height:?}, before: {:?}",
            self.before
        );
        self.gives_back(height);
    }

    /// Asks again and again over a connection that is kept, and every tenth time over a new one. Every request is answered by a token.
    fn partner_is_served(&self) {
        let octets = self.asking(&self.partner, "");
        let mut kept = Wire::open(self.server.public());
        let ask = |wire: &mut Wire| {
            let since = Instant::now();
            assert!(wire.send(&octets), "the partner is cut off");
            let answer = wire.answer();
            assert_eq!(answer.status, 200, "{}", answer.text());
            since.elapsed()
        };
        let (since, mut times) = (Instant::now(), Vec::new());
        while times.len() < TOKENS || since.elapsed() < LASTING {
            times.push(ask(&mut kept));
            if times.len() % 10 == 0 {
                times.push(ask(&mut Wire::open(self.server.public())));
            }
        }
        times.sort_unstable();
        let median = times[times.len() / 2];
        assert!(median < MEDIAN, "the median of {} is {median:?}", times.len());
    }

    /// The promise of every day holds on the worst: once "revoke" is answered there is no more token.
    fn revocation_gets_through(&self) {
        let leaked = self.admin.client("qa");
        let caller = Caller::new();
        caller.token(&self.token_url(), &leaked).issued();
        self.admin.act(&format!("/clients/{}/revoke", leaked.client_id));
        for _ in 0..3 {
            let refused = caller.token(&self.token_url(), &leaked).expect(401);
            assert_eq!(refused["error"], json!("invalid_client"));
        }
    }

    /// Every refusal of a token has a line of its own, or is told in number with others of its kind; and few have lines of their own.
    pub fn has_told_of_every_refusal(self) {
        let metrics = Caller::new().get(&self.server.admin_url("/metrics")).text;
        let refused: u64 = metrics
            .lines()
            .filter_map(|line| line.strip_prefix("mintmark_refusals_total{endpoint=\"token\""))
            .filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok())
            .sum();
        let (code, log) = self.server.stop();
        assert_eq!(code, Some(0));
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let message = |line: &Value| line["message"].as_str().unwrap_or_default().to_owned();
        let own = lines
            .iter()
            .filter(|line| message(line).starts_with("token refused"))
            .count() as u64;
        let shared: u64 = lines
            .iter()
            .filter(|line| message(line).starts_with("more was refused") && line["endpoint"] == "token")
            .filter_map(|line| line["count"].as_u64())
            .sum();
        assert_eq!(
            own + shared,
            refused,
            "lines of their own: {own}, told with others: {shared}"
        );
        assert!(own < refused / 2 && own > 0, "{own} lines for {refused} refusals");
    }

    /// Looks until the process is as it was.
    fn gives_back(&self, height: Process) {
        let since = Instant::now();
        let caller = Caller::new();
        let most = self.before.kib + KEPT_KIB + KEPT_KIB_FOR_EACH * height.files;
        loop {
            assert_eq!(caller.get(&self.server.public_url("/livez")).status, 200);
            let (now, before) = (Process::of(&self.server), self.before);
            if now.files <= before.files + KEPT_FILES && now.kib <= most {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "kept: {now:?}, before: {before:?}, at the height: {height:?}"
            );
        }
    }
}
