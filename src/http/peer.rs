//! Who is really at the other end: the socket's peer, or, behind proxies we were told to trust, the one they name.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpMessage as _;
use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;

/// Says whether an address is a proxy we were told to trust.
pub type Trust = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The address a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

impl PeerAddress {
    /// The address put down for this request by the outermost layer; the socket's where there was none.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let noted = request.extensions().get::<Self>().copied();
        noted.unwrap_or_else(|| Self(socket_address(request.peer_addr())))
    }

    /// Works out the address: `X-Forwarded-For` counts only as far as every hop behind it is trusted.
    pub(super) fn resolve(request: &ServiceRequest, trust: &Trust) -> Self {
        Self(forwarded(
            socket_address(request.peer_addr()),
            request.headers(),
            &**trust,
        ))
    }
}

fn socket_address(peer: Option<std::net::SocketAddr>) -> IpAddr {
    peer.map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |address| {
        address.ip().to_canonical()
    })
}

/// Walks from the socket outwards, while the hop it stands on is trusted. A hop that names no address ends the walk.
fn forwarded(socket: IpAddr, headers: &HeaderMap, trust: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let named: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect();
    let mut address = socket;
    for hop in named.into_iter().rev() {
        if !trust(address) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(next) => address = next.to_canonical(),
            Err(_) => break,
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use ipnet::IpNet;

    use super::*;

    fn seen(socket: &str, forwarded_for: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded_for {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        let trust = |address| trusted.iter().any(|network| network.contains(&address));
        forwarded(socket.parse().unwrap(), &headers, &trust).to_string()
    }

    #[test]
    fn a_stranger_cannot_name_another_address() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn trusted_hops_are_walked_from_the_inside() {
        assert_eq!(seen("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(
            seen("10.0.0.1", &["203.0.113.9, 198.51.100.7"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
        assert_eq!(
            seen("10.0.0.1", &["203.0.113.9", "198.51.100.7, 10.0.0.2"], &["10.0.0.0/8"]),
            "198.51.100.7"
        );
    }

    #[test]
    fn a_hop_that_names_no_address_ends_the_walk() {
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.7, unknown"], &["10.0.0.0/8"]),
            "10.0.0.1"
        );
    }
}
