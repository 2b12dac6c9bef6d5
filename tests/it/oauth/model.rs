//! Random histories of changes and tokens on two replicas over one store, against a model of a few lines that remembers everything and
//! caches nothing: whichever replica is asked, it answers as the model does.

use std::collections::BTreeSet;
use std::sync::Arc;

use mintmark::domain::Environment::Qa;
use mintmark::domain::{Algorithm, Timestamp};
use mintmark::store::Sharing;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::support::faulty::FaultyStore;
use crate::support::installation::{Installation, Plan};
use crate::support::registration::{ALWAYS, Credentials};

const CLIENTS: usize = 3;
/// The partner of each client, and what its tokens may say at the most.
const PARTNERS: [(&str, &[&str]); CLIENTS] = [
    ("acme", &["orders:read", "orders:write", "stock:read"]),
    ("acme-north", &["orders:read", "orders:write", "stock:read"]),
    ("globex", &["orders:read"]),
];
/// What the resource server that asks owns.
const OWNED: [&str; 2] = ["orders:read", "orders:write"];
const LISTS: [&[&str]; 3] = [&["orders:read"], &["stock:read"], &["orders:write", "stock:read"]];

/// What happens, and where: on the first replica or the second.
#[derive(Clone, Debug)]
struct Step(usize, Event);

#[derive(Clone, Debug)]
enum Event {
    Issue(usize),
    Introspect(usize),
    RevokeToken(usize),
    ToggleClient(usize),
    ToggleAcme,
    Narrow(usize, &'static [&'static str]),
    ChangeSecret(usize),
    RotateKey,
    RevokeKey,
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let event = prop_oneof![
        6 => (0..CLIENTS).prop_map(Event::Issue),
        8 => (0..64_usize).prop_map(Event::Introspect),
        3 => (0..64_usize).prop_map(Event::RevokeToken),
        1 => (0..CLIENTS).prop_map(Event::ToggleClient),
        1 => Just(Event::ToggleAcme),
        1 => (0..CLIENTS, select(&LISTS[..])).prop_map(|(client, scope)| Event::Narrow(client, scope)),
        1 => (0..CLIENTS).prop_map(Event::ChangeSecret),
        1 => Just(Event::RotateKey),
        1 => Just(Event::RevokeKey),
        1 => (1..200_u32).prop_map(Event::Wait),
    ];
    (0..2_usize, event).prop_map(|(replica, event)| Step(replica, event))
}

/// What is true of a client.
struct Client {
    credentials: Credentials,
    active: bool,
    scope: BTreeSet<&'static str>,
}

/// What is true of a token.
struct Token {
    text: String,
    client: usize,
    credentials: Credentials,
    key: usize,
    expires_at: Timestamp,
    scope: BTreeSet<&'static str>,
    revoked: bool,
}

struct World {
    replicas: [Installation; 2],
    asking: Credentials,
    clients: Vec<Client>,
    acme_active: bool,
    tokens: Vec<Token>,
    /// The number of the key that signs; those in the set were revoked.
    key: usize,
    revoked_keys: BTreeSet<usize>,
}

impl World {
    fn begin() -> Self {
        let store = FaultyStore::new(Sharing::Shared);
        let plan = Plan {
            store: Arc::new(store.clone()),
            ..Plan::default()
        };
        let here = plan.start();
        let there = here.replica(Arc::new(store));
        let clients = PARTNERS.map(|(partner, ceiling)| Client {
            credentials: here.client(partner).register(),
            active: true,
            scope: ceiling.iter().copied().collect(),
        });
        Self {
            asking: here.resource_server("orders").register(),
            replicas: [here, there],
            clients: clients.into(),
            acme_active: true,
            tokens: Vec::new(),
            key: 0,
            revoked_keys: BTreeSet::new(),
        }
    }

    fn may_act(&self, client: usize) -> bool {
        let under_acme = PARTNERS[client].0.starts_with("acme");
        self.clients[client].active && (self.acme_active || !under_acme)
    }

    /// What introspection must say of a token: its scope at the resource server, nothing when it is not active.
    fn worth(&self, token: &Token) -> BTreeSet<&'static str> {
        let client = &self.clients[token.client];
        let good = !token.revoked
            && self.replicas[0].now() < token.expires_at
            && self.may_act(token.client)
            && client.credentials.secret_id == token.credentials.secret_id
            && !self.revoked_keys.contains(&token.key);
        let left = token.scope.intersection(&client.scope).copied();
        left.filter(|scope| good && OWNED.contains(scope)).collect()
    }

    fn play(&mut self, Step(at, event): &Step) {
        let replica = &self.replicas[*at];
        match *event {
            Event::Issue(client) => self.issue(*at, client),
            Event::Introspect(token) => self.introspect(*at, token),
            Event::RevokeToken(token) => self.revoke(*at, token),
            Event::ToggleClient(client) => {
                let Client {
                    credentials, active, ..
                } = &mut self.clients[client];
                if *active {
                    replica.suspend(credentials);
                } else {
                    replica.reinstate(credentials);
                }
                *active = !*active;
            }
            Event::ToggleAcme => {
                if self.acme_active {
                    replica.suspend_partner("acme");
                } else {
                    replica.reinstate_partner("acme");
                }
                self.acme_active = !self.acme_active;
            }
            Event::Narrow(client, scope) => {
                replica.narrow(&self.clients[client].credentials, &scope.join(" "));
                let ceiling = PARTNERS[client].1.iter().copied();
                self.clients[client].scope = ceiling.filter(|token| scope.contains(token)).collect();
            }
            Event::ChangeSecret(client) => {
                let before = &self.clients[client].credentials;
                let after = replica.add_secret(before, ALWAYS);
                replica.end_secret(before, replica.now());
                self.clients[client].credentials = after;
            }
            Event::RotateKey | Event::RevokeKey => {
                if matches!(event, Event::RevokeKey) {
                    replica.revoke_key(Qa);
                    self.revoked_keys.insert(self.key);
                }
                replica.rotate_key(Qa, Algorithm::Es256);
                self.key += 1;
            }
            // Both replicas go by one clock.
            Event::Wait(seconds) => replica.clock.advance(seconds),
        }
    }

    fn issue(&mut self, at: usize, client: usize) {
        let replica = &self.replicas[at];
        let Client { credentials, scope, .. } = &self.clients[client];
        let answer = replica.token(credentials).send();
        if !self.may_act(client) {
            answer.refused(401, "invalid_client");
            return;
        }
        if scope.is_empty() {
            answer.refused(400, "invalid_scope");
            return;
        }
        assert_eq!(answer.json()["scope"], written(scope));
        self.tokens.push(Token {
            text: answer.issued(),
            client,
            credentials: credentials.clone(),
            key: self.key,
            expires_at: replica.now() + mintmark::domain::Seconds(300),
            scope: scope.clone(),
            revoked: false,
        });
    }

    fn introspect(&self, at: usize, token: usize) {
        let Some(token) = self.tokens.get(token % self.tokens.len().max(1)) else {
            return;
        };
        let answer = self.replicas[at].introspect(&self.asking, &token.text).json();
        let worth = self.worth(token);
        assert_eq!(answer["active"], !worth.is_empty(), "{answer}");
        if !worth.is_empty() {
            assert_eq!(answer["scope"], written(&worth));
        }
    }

    fn revoke(&mut self, at: usize, token: usize) {
        let place = token % self.tokens.len().max(1);
        let Some(token) = self.tokens.get(place) else {
            return;
        };
        let answer = self.replicas[at].revoke(&self.clients[token.client].credentials, &token.text);
        if self.may_act(token.client) {
            assert_eq!(answer.status, 200, "{}", answer.text());
            self.tokens[place].revoked = true;
        } else {
            answer.refused(401, "invalid_client");
        }
    }
}

fn written(scope: &BTreeSet<&str>) -> String {
    scope.iter().copied().collect::<Vec<_>>().join(" ")
}

#[test]
fn two_replicas_answer_as_a_model_that_caches_nothing() {
    let config = Config {
        cases: 24,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let histories = prop::collection::vec(step(), 20..60);
    let outcome = runner.run(&histories, |history| {
        let mut world = World::begin();
        for step in &history {
            world.play(step);
        }
        // At the end both are asked about everything.
        for at in 0..2 {
            (0..world.tokens.len()).for_each(|token| world.introspect(at, token));
        }
        Ok(())
    });
    outcome.unwrap();
}
