//! Three servers over one PostgreSQL. What is changed is changed on the first; what is asked is asked of all, or of the other two.

use std::net::SocketAddr;

use super::load::Load;
use super::question::Question;
use super::subject::{Ending, Subject};
use crate::support::calls::Admin;
use crate::support::server::{Installation, Server};

/// The two on which nothing is changed.
pub const OTHERS: [usize; 2] = [1, 2];
/// All three.
pub const ALL: [usize; 3] = [0, 1, 2];

/// Three replicas.
pub struct Fleet {
    pub servers: Vec<Server>,
    /// The admin API of the first.
    pub admin: Admin,
    /// The token of the first operator, for the admin API of the others.
    pub owner: String,
    pub installation: Installation,
    /// The settings of the third, where it has its own.
    _third: Option<Installation>,
}

impl Fleet {
    /// On a schema of its own.
    pub fn start() -> Self {
        Self::of(Installation::postgresql())
    }

    /// On `installation`.
    pub fn of(installation: Installation) -> Self {
        Self::with_third(installation, None)
    }

    /// The third reaches the database by `url`, with the settings given.
    pub fn with_third_by(installation: Installation, url: &str, settings: &[(&str, &str)]) -> Self {
        let master_key = installation.path("master.key").display().to_string();
        let mut third = unbounded(Installation::on(url)).with("keys.master_key_file", &master_key);
        for (key, value) in settings {
            third = third.with(key, value);
        }
        Self::with_third(installation, Some(third))
    }

    fn with_third(installation: Installation, third: Option<Installation>) -> Self {
        let installation = unbounded(installation);
        let owner = installation.owner();
        let mut servers = vec![installation.start(), installation.start()];
        servers.push(third.as_ref().unwrap_or(&installation).start());
        let admin = servers[0].admin(&owner);
        admin.furnish();
        Self {
            servers,
            admin,
            owner,
            installation,
            _third: third,
        }
    }

    /// Where so many of them listen, for a load.
    pub fn addresses(&self, replicas: &[usize]) -> Vec<(usize, SocketAddr)> {
        replicas
            .iter()
            .map(|replica| (*replica, self.servers[*replica].public()))
            .collect()
    }

    pub fn subject(&self, number: usize, ending: Ending) -> Subject {
        Subject::furnish(number, ending, (&self.admin, &self.servers[0]))
    }

    /// One subject of each kind.
    pub fn subjects(&self) -> Vec<Subject> {
        let endings = Ending::ALL.into_iter().enumerate();
        endings.map(|(number, ending)| self.subject(number, ending)).collect()
    }

    /// Asks everything about `subjects` on so many connections to each of `replicas`.
    pub fn load(&self, replicas: &[usize], connections: usize, subjects: &[Subject]) -> Load {
        let questions: Vec<Question> = subjects.iter().flat_map(Subject::questions).collect();
        Load::start(&self.addresses(replicas), connections, &questions)
    }
}

/// A load is refused thousands of times from one address: the budget of failures must not be what refuses it.
fn unbounded(installation: Installation) -> Installation {
    installation.with("limits.failures_per_minute", "100000")
}
