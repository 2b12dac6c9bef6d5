//! The replicas of a history, and what has come of it so far.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use mintmark::ambient::{Clock as _, SystemEntropy};
use mintmark::domain::{Period, QuotaMode, Seconds, Timestamp, Window};
use mintmark::office::{Administrator, Machine, Office, create_first_owner};
use mintmark::store::Store;

use super::moves::{ASKING, CLIENTS, Event, PARTNERS, Step};
use super::truth::{Token, Truth, Why};
use crate::support::beside::{Beside, Oracle};
use crate::support::installation::{Installation, Plan, block_on};
use crate::support::registration::Credentials;

/// One replica, and the operator's place there.
pub struct Replica {
    pub installation: Installation,
    pub office: Office,
    pub operator: Administrator,
}

pub struct World<'a> {
    pub replicas: Vec<Replica>,
    pub truth: Truth,
    /// Every secret that each client ever had.
    pub clients: [Vec<Credentials>; CLIENTS],
    pub asking: [Credentials; ASKING.len()],
    pub tokens: Vec<Token>,
    /// Why answers were no.
    seen: &'a RefCell<BTreeSet<Why>>,
}

impl<'a> World<'a> {
    /// A replica over each store; all of them lead to the same records.
    pub fn begin(stores: Vec<Arc<dyn Store>>, seen: &'a RefCell<BTreeSet<Why>>) -> Self {
        let oracle = Arc::new(Oracle::default());
        let mut stores = stores.into_iter().map(|store| -> Arc<dyn Store> {
            let oracle = Arc::clone(&oracle);
            Arc::new(Beside { store, oracle })
        });
        let store = stores.next().expect("there is a store");
        let first = Plan {
            store: Arc::clone(&store),
            ..Plan::default()
        };
        let first = first.start();
        let token = first_owner(&first, &*store);
        let others: Vec<_> = stores.map(|store| first.replica(store)).collect();
        let clients = PARTNERS.map(|partner| vec![first.client(partner).register()]);
        let asking = ASKING.map(|api_id| first.resource_server(api_id).register());
        let staffed = |installation: Installation| {
            let office = installation.office();
            let operator = block_on(office.administrator(&token)).unwrap();
            Replica {
                operator: operator.expect("the token works"),
                office,
                installation,
            }
        };
        Self {
            replicas: [first].into_iter().chain(others).map(staffed).collect(),
            truth: Truth(oracle),
            clients,
            asking,
            tokens: Vec::new(),
            seen,
        }
    }

    /// What every replica goes by.
    pub fn now(&self) -> Timestamp {
        self.replicas[0].installation.clock.now()
    }

    pub fn see(&self, why: Why) {
        self.seen.borrow_mut().insert(why);
    }

    pub fn play(&mut self, Step(at, event): &Step) {
        let at = at % self.replicas.len();
        match *event {
            Event::Issue(client, secret, scope) => {
                let asking = self.credentials(client, secret);
                let token = self.issue(at, &asking, scope);
                self.tokens.extend(token);
            }
            Event::Spend(client, times) => {
                let asking = self.credentials(client, usize::MAX);
                (0..times).all(|_| self.issue(at, &asking, None).is_some());
            }
            Event::Introspect(asking, token) if !self.tokens.is_empty() => {
                self.introspect(at, asking, token % self.tokens.len());
            }
            Event::RevokeToken(client, token) if !self.tokens.is_empty() => {
                self.revoke(at, client, token % self.tokens.len());
            }
            Event::Introspect(..) | Event::RevokeToken(..) => {}
            Event::Operator(ref deed) => self.administer(at, deed),
            Event::Wait(seconds) => self.replicas[0].installation.clock.advance(seconds),
            Event::Midnight => {
                self.tell_what_was_observed();
                let midnight = Window::of(Period::Day, self.now()).end();
                self.replicas[0].installation.clock.set(midnight);
            }
        }
        self.truth.0.assert_agreement();
    }

    /// A client's secrets count from the newest when the number is too great.
    pub fn credentials(&self, client: usize, secret: usize) -> Credentials {
        let secrets = &self.clients[client];
        secrets.get(secret).or(secrets.last()).expect("it has a secret").clone()
    }

    /// What was issued beyond any counting is told to the store, as it is some time later: before that nobody can be held to it.
    pub fn tell_what_was_observed(&self) {
        let plan = self.truth.partner(PARTNERS[0]).plan;
        if plan.is_some_and(|plan| plan.quota_mode == QuotaMode::Observe) {
            self.replicas.iter().for_each(give_back);
        }
    }

    /// At the end all replicas are asked about everything, and the quotas are counted.
    pub fn end(&self) {
        for at in 0..self.replicas.len() {
            for token in 0..self.tokens.len() {
                (0..ASKING.len()).for_each(|asking| self.introspect(at, asking, token));
            }
        }
        for client in &self.clients {
            self.assert_counted(&self.truth.quotas(&self.truth.client(&client[0].client_id), self.now()));
        }
        self.truth.0.assert_agreement();
    }
}

/// The token of an operator who may do everything.
fn first_owner(installation: &Installation, store: &dyn Store) -> String {
    let machine = Machine {
        store,
        pepper: &installation.pepper,
        clock: &*installation.clock,
        entropy: &SystemEntropy::new(),
        token_lifetime: Seconds::from_days(90),
    };
    let owner = create_first_owner(&machine, "ada@example.com".parse().unwrap()).unwrap();
    owner.token.expect("it was made now").expose().to_owned()
}

/// As when the replica ends.
pub fn give_back(replica: &Replica) {
    block_on(replica.installation.registry.give_back_all()).expect("the store answers");
}
