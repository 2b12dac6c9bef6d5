//! Whose `X-Forwarded-For` is believed (RFC 7239 §8.1). One header only: a proxy that sets one passes the others on as its caller
//! wrote them.

use std::net::IpAddr;

use crate::domain::Network;

/// The networks of the reverse proxies before this server. Empty: nobody is believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// Whether `address` may speak for others. An IPv4 address that arrives mapped into IPv6 counts as IPv4.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }

    /// Whether nobody is believed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether some network is a whole address family, so that any caller could claim any address.
    #[must_use]
    pub fn include_everyone(&self) -> bool {
        self.0.iter().any(Network::is_everyone)
    }
}

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
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
}
