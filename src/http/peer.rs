//! Who is really at the other end: the socket's peer, or, behind proxies we were told to trust, the one they name.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::HttpMessage as _;
use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::HeaderMap;

/// The most hops read of a request; no chain of proxies is as long.
const MOST_HOPS: usize = 16;

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

/// Walks from the socket outwards, while the hop it stands on is trusted. A hop that names no address ends the walk, and hides nothing of
/// what was added behind it: that is why it is read as octets, and no further than is believed.
fn forwarded(socket: IpAddr, headers: &HeaderMap, trust: &dyn Fn(IpAddr) -> bool) -> IpAddr {
    let lines = headers.get_all("x-forwarded-for").rev();
    let hops = lines.flat_map(|line| line.as_bytes().rsplit(|octet| *octet == b','));
    let mut named = hops.take(MOST_HOPS).map_while(address_of);
    let mut address = socket;
    while trust(address)
        && let Some(next) = named.next()
    {
        address = next;
    }
    address
}

fn address_of(hop: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(hop.trim_ascii()).ok()?;
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};
    use ipnet::IpNet;

    use super::*;

    fn seen<L: AsRef<[u8]>>(socket: &str, forwarded_for: &[L], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded_for {
            headers.append(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_bytes(line.as_ref()).unwrap(),
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

    #[test]
    fn what_a_caller_wrote_never_hides_what_the_proxy_added() {
        for unreadable in [
            &b"\xff"[..],
            b"\xc3\x28",
            b"caf\xe9",
            b"\xf0\x9f\x92\xa9",
            b"unknown",
            b"",
        ] {
            let line = [unreadable, b", 198.51.100.7"].concat();
            for lines in [vec![line.clone()], vec![b"203.0.113.9".to_vec(), line]] {
                assert_eq!(seen("10.0.0.1", &lines, &["10.0.0.0/8"]), "198.51.100.7", "{lines:?}");
            }
        }
        // Behind two proxies the walk goes on to what it can read, and ends there.
        let lines = [&b"203.0.113.9"[..], b"\xe9, 10.0.0.2"];
        assert_eq!(seen("10.0.0.1", &lines, &["10.0.0.0/8"]), "10.0.0.2");
    }

    #[test]
    fn a_walk_through_trusted_hops_has_an_end() {
        let hops: Vec<String> = (0..=255).rev().map(|number| format!("10.0.1.{number}")).collect();
        let last = format!("10.0.1.{}", MOST_HOPS - 1);
        for lines in [vec![hops.join(", ")], hops] {
            assert_eq!(seen("10.0.0.1", &lines, &["10.0.0.0/8"]), last);
        }
    }
}
