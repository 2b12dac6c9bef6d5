//! What is counted and looked for over all clients, each at the cost of an index.

use crate::domain::{ClientStatus, Environment};

/// How many clients there are of one standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCount {
    /// Where.
    pub environment: Environment,
    /// Of which status.
    pub status: ClientStatus,
    /// How many.
    pub clients: u64,
}
