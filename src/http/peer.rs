//! Whose request it is, by address: put into the request's extensions by whoever knows which proxies to believe.

use std::net::IpAddr;

/// The real address of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);
