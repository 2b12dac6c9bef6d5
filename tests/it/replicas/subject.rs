//! What can be ended, each in a world of its own: a client, a partner, a secret, a scope, a token, a signing key. And the judgement: what was
//! asked after the end had been acknowledged is not answered with what has ended.

use std::time::Instant;

use serde_json::{Value, json};

use super::load::Observation;
use super::question::{Asks, Question, Told, kid};
use crate::support::calls::{Admin, Caller, Credentials, Reply, credentials, new_client};
use crate::support::server::{PATIENCE, Server};

/// What is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    ClientRevoked,
    PartnerSuspended,
    SecretRetired,
    ScopeNarrowed,
    /// By its client.
    TokenRevoked,
    KeyRevoked,
}

impl Ending {
    pub const ALL: [Self; 6] = [
        Self::ClientRevoked,
        Self::PartnerSuspended,
        Self::SecretRetired,
        Self::ScopeNarrowed,
        Self::TokenRevoked,
        Self::KeyRevoked,
    ];

    /// The environment of its own for what would disturb the others.
    const fn environment(self) -> &'static str {
        match self {
            Self::KeyRevoked => "production",
            _ => "qa",
        }
    }
}

/// A client of a partner of its own, a token it has obtained, and how it will end.
pub struct Subject {
    /// Its place in the test's list.
    number: usize,
    ending: Ending,
    client: Credentials,
    /// Who introspects its token.
    asking: Credentials,
    token: String,
    /// The path of the admin API, or the URL, at which it is ended.
    path: String,
}

/// An end that was acknowledged.
pub struct Ended {
    subject: usize,
    pub ending: Ending,
    /// The `kid` of the tokens there were.
    kid: String,
    /// Before it was asked for.
    asked: Instant,
    /// After the acknowledgement was read.
    acknowledged: Instant,
}

impl Subject {
    /// Registers everything by `admin` and obtains the token from `server`. The API `orders` is there already.
    pub fn furnish(number: usize, ending: Ending, (admin, server): (&Admin, &Server)) -> Self {
        let environment = ending.environment();
        let partner_id = format!("partner-{number}");
        let partner = json!({
            "partner_id": partner_id, "name": partner_id, "scope_ceiling": ["orders:read", "orders:write"],
        });
        admin.post("/partners", &partner).expect(201);
        let mut new = new_client(environment);
        new["partner_id"] = partner_id.clone().into();
        let mut client = credentials(&admin.post("/clients", &new).expect(201));
        let clients = format!("/clients/{}", client.client_id);
        let mut path = match ending {
            Ending::ClientRevoked => format!("{clients}/revoke"),
            Ending::PartnerSuspended => format!("/partners/{partner_id}/suspend"),
            Ending::ScopeNarrowed => format!("/partners/{partner_id}"),
            Ending::TokenRevoked => server.public_url(&format!("/{environment}/revoke")),
            Ending::SecretRetired | Ending::KeyRevoked => String::new(),
        };
        if ending == Ending::SecretRetired {
            let added = admin.post(&format!("{clients}/secrets"), &json!({})).expect(201);
            client.secret = text(&added["client_secret"]);
            path = format!("{clients}/secrets/{}/retire", text(&added["secret"]["secret_id"]));
        }
        let url = server.public_url(&format!("/{environment}/token"));
        let token = Caller::new().token(&url, &client).issued();
        if ending == Ending::KeyRevoked {
            path = format!("/keys/{environment}/{}/revoke", kid(&token));
        }
        Self {
            number,
            ending,
            asking: admin.resource_server(environment),
            client,
            token,
            path,
        }
    }

    /// Lets `server` remember who introspects, and nothing of what is introspected.
    pub fn introduce(&self, server: &Server) {
        let url = server.public_url(&format!("/{}/introspect", self.ending.environment()));
        let told = Caller::new().form(&url, &self.asking, &[("token", "no token")]);
        assert_eq!(told.expect(200), json!({ "active": false }));
    }

    /// All that can be asked about it.
    pub fn questions(&self) -> Vec<Question> {
        let environment = self.ending.environment();
        let mut questions = vec![
            Question::token(self.number, environment, &self.client),
            Question::introspection(self.number, environment, (&self.asking, &self.token)),
        ];
        if self.ending == Ending::KeyRevoked {
            questions.push(Question::key_set(self.number, environment));
        }
        questions
    }

    /// Ends it. Who is told to come back because the store has just returned comes back, as operators do.
    pub fn end(&self, admin: &Admin) -> Ended {
        let asked = Instant::now();
        let reply = loop {
            let reply = self.ask_for_the_end(admin);
            if reply.status != 503 {
                break reply;
            }
            assert!(reply.header("retry-after").is_some(), "{}", reply.text);
            assert!(
                asked.elapsed() < PATIENCE,
                "it never takes a change again: {}",
                reply.text
            );
        };
        let acknowledged = Instant::now();
        reply.expect(200);
        Ended {
            subject: self.number,
            ending: self.ending,
            kid: kid(&self.token),
            asked,
            acknowledged,
        }
    }

    fn ask_for_the_end(&self, admin: &Admin) -> Reply {
        match self.ending {
            Ending::ScopeNarrowed => admin.patch(&self.path, &json!({ "scope_ceiling": ["orders:read"] })),
            Ending::TokenRevoked => Caller::new().form(&self.path, &self.client, &[("token", &self.token)]),
            _ => admin.post(&self.path, &Value::Null),
        }
    }
}

impl Ended {
    /// Whether the end changes what is answered to this.
    fn ends(&self, asks: &Asks) -> bool {
        self.ending != Ending::TokenRevoked || matches!(asks, Asks::Introspection(_))
    }

    /// Whether this says yes to what has ended.
    fn is_denied_by(&self, asks: &Asks, told: &Told) -> bool {
        match self.ending {
            Ending::ClientRevoked | Ending::PartnerSuspended | Ending::SecretRetired => told.is_yes(),
            Ending::ScopeNarrowed => match told {
                Told::Token { scope, .. } | Told::Active { scope } => scope.contains("orders:write"),
                _ => false,
            },
            Ending::TokenRevoked => matches!(told, Told::Active { .. }),
            Ending::KeyRevoked => match (told, asks) {
                (Told::Token { kid, .. }, _) => *kid == self.kid,
                (Told::Keys { kids, .. }, _) => kids.contains(&self.kid),
                (Told::Active { .. }, Asks::Introspection(kid)) => *kid == self.kid,
                _ => false,
            },
        }
    }

    /// What was sent after the acknowledgement and answered as if nothing had ended.
    pub fn stale<'a>(&self, seen: &'a [Observation]) -> Vec<&'a Observation> {
        self.after(seen)
            .filter(|each| self.is_denied_by(&each.asks, &each.told))
            .collect()
    }

    /// What was asked about it after the acknowledgement.
    pub fn after<'a>(&self, seen: &'a [Observation]) -> impl Iterator<Item = &'a Observation> {
        let (subject, acknowledged) = (self.subject, self.acknowledged);
        seen.iter()
            .filter(move |each| each.subject == subject && each.sent > acknowledged)
    }

    /// Not one stale answer; and the questions were good ones, since up to the end each was answered with yes by whoever answered,
    /// and after it there were some of each kind on each of `replicas`.
    #[track_caller]
    pub fn assert_held(&self, seen: &[Observation], replicas: &[usize]) {
        let stale = self.stale(seen);
        assert!(
            stale.is_empty(),
            "{:?}: {} stale answers after the acknowledgement, the first of them {:?} after it: {:?}",
            self.ending,
            stale.len(),
            stale[0].sent - self.acknowledged,
            stale[0]
        );
        let mut before = seen
            .iter()
            .filter(|each| each.subject == self.subject && each.received < self.asked && each.told.is_known());
        let in_vain = before.find(|each| self.ends(&each.asks) && !self.is_denied_by(&each.asks, &each.told));
        assert!(
            in_vain.is_none(),
            "{:?}: refused before the end: {in_vain:?}",
            self.ending
        );
        for replica in replicas {
            let mut asked: Vec<_> = self
                .after(seen)
                .filter(|each| each.replica == *replica && each.told.is_known())
                .map(|each| std::mem::discriminant(&each.asks))
                .collect();
            asked.dedup();
            assert!(
                asked.len() > 1,
                "{:?}: nothing was asked of {replica} after the end",
                self.ending
            );
        }
    }
}

/// Every question was answered, and none with 503.
#[track_caller]
pub fn assert_calm(seen: &[Observation]) {
    let lost = seen.iter().find(|each| !each.told.is_known());
    assert!(lost.is_none(), "{lost:?}");
}

fn text(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}
