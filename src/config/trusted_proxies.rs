//! Whose `X-Forwarded-For` is believed (RFC 7239 §8.1). One header only: a proxy that sets one passes the others on as its caller
//! wrote them.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use crate::domain::Invalid;

/// The networks of the reverse proxies before this server. Empty: nobody is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Whether `address` may speak for others. An IPv4 address that arrives mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether nobody is believed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some network is a whole address family, so that any caller could claim any address.
    #[must_use]
    pub fn include_everyone(&self) -> bool {
        self.0.iter().any(|network| network.prefix_len() == 0)
    }
}

/// One network (`10.0.0.0/8`) or one address.
pub(super) struct Network(IpNet);

impl FromStr for Network {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => IpNet::from(address),
            Err(_) => text
                .parse()
                .map_err(|_| Invalid::new("is neither a network nor an address"))?,
        };
        if network == network.trunc() {
            Ok(Self(network))
        } else {
            Err(Invalid::new("has bits set beyond its prefix length"))
        }
    }
}

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().map(|network| network.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> TrustedProxies {
        texts.iter().map(|text| text.parse::<Network>().unwrap()).collect()
    }

    #[test]
    fn members_are_trusted_and_strangers_are_not() {
        let trusted = proxies(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]);
        for member in ["10.255.0.1", "192.0.2.7", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert!(trusted.trust(member.parse().unwrap()), "{member}");
        }
        for stranger in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1", "127.0.0.1"] {
            assert!(!trusted.trust(stranger.parse().unwrap()), "{stranger}");
        }
        assert!(!TrustedProxies::default().trust("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_whole_address_family_is_noticed() {
        assert!(proxies(&["10.0.0.0/8", "0.0.0.0/0"]).include_everyone());
        assert!(proxies(&["::/0"]).include_everyone());
        assert!(!proxies(&["10.0.0.0/8"]).include_everyone());
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0",
            "proxy.internal",
            "10.0.0.0/8/8",
            "::1/129",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
