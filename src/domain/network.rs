//! Networks of addresses, and from which of them a client may come.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};
use serde::{Serialize, Serializer};

use super::invalid::Invalid;

/// One network (`10.0.0.0/8`) or one address, without bits beyond the prefix. IPv4 mapped into IPv6 is IPv4 (RFC 4291 §2.5.5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network(IpNet);

/// The bits of an IPv6 address before an IPv4 address that is mapped into it.
const BEFORE_MAPPED: u8 = 96;

impl Network {
    /// Whether `address` is one of its addresses.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether it is a whole address family.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Network {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let network = network(text).ok_or_else(|| Invalid::new("is neither a network nor an address"))?;
        if network == network.trunc() {
            Ok(Self(canonical(network)))
        } else {
            Err(Invalid::new("has bits set beyond its prefix length"))
        }
    }
}

/// Read by the standard library's grammar, which takes no leading zeros: some readers take them for octal.
fn network(text: &str) -> Option<IpNet> {
    let Some((address, prefix)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let plain = prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let prefix = prefix.parse().ok().filter(|_| plain)?;
    IpNet::new(address.parse().ok()?, prefix).ok()
}

fn canonical(network: IpNet) -> IpNet {
    match (
        network.addr().to_canonical(),
        network.prefix_len().checked_sub(BEFORE_MAPPED),
    ) {
        (IpAddr::V4(address), Some(prefix)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, prefix).map_or(network, IpNet::from)
        }
        _ => network,
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From where a client may come. In JSON: `null` for anywhere, or a list of networks that is not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Option<BTreeSet<Network>>")]
pub enum AllowedSources {
    /// From anywhere.
    Any,
    /// From these networks.
    Only(BTreeSet<Network>),
}

impl AllowedSources {
    /// The most networks a client can be held to.
    pub const MOST: usize = 100;

    /// Whether a request may come from `source`.
    #[must_use]
    pub fn allow(&self, source: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Only(networks) => networks.iter().any(|network| network.contains(source)),
        }
    }
}

impl From<AllowedSources> for Option<BTreeSet<Network>> {
    fn from(sources: AllowedSources) -> Self {
        match sources {
            AllowedSources::Any => None,
            AllowedSources::Only(networks) => Some(networks),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(text: &str) -> Network {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_is_named_in_one_way_only() {
        for (text, name) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(network(text).to_string(), name);
            assert_eq!(network(name), network(text));
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "10.0.0",
            "010.0.0.0/8",
            "10.0.0.0/08",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "proxy.internal",
            "10.0.0.0/8/8",
            "::1/129",
            "2001:db8::1/32",
            "fe80::1%eth0",
            " 10.0.0.0/8",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_client_comes_from_its_networks_and_from_no_other() {
        let only = AllowedSources::Only([network("192.0.2.0/24"), network("2001:db8::/48")].into());
        for member in ["192.0.2.1", "::ffff:192.0.2.255", "2001:db8:0:ffff::1"] {
            assert!(only.allow(member.parse().unwrap()), "{member}");
        }
        for stranger in ["192.0.3.1", "2001:db8:1::1", "::1", "::192.0.2.1"] {
            assert!(!only.allow(stranger.parse().unwrap()), "{stranger}");
            assert!(AllowedSources::Any.allow(stranger.parse().unwrap()));
        }
        assert!(!AllowedSources::Only(BTreeSet::new()).allow("192.0.2.1".parse().unwrap()));
    }

    proptest! {
        /// The reference is arithmetic on the bits, not the library's own answer.
        #[test]
        fn an_address_is_in_a_network_when_its_first_bits_are(base: u32, address: u32, prefix in 0u8..=32) {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let text = format!("{}/{prefix}", std::net::Ipv4Addr::from(base & mask));
            let address_v4 = std::net::Ipv4Addr::from(address);
            let inside = base & mask == address & mask;
            prop_assert_eq!(network(&text).contains(address_v4.into()), inside);
            prop_assert_eq!(network(&text).contains(address_v4.to_ipv6_mapped().into()), inside);
        }

        #[test]
        fn reading_never_panics(text in "[0-9a-f:./%]{0,60}") {
            if let Ok(network) = text.parse::<Network>() {
                prop_assert_eq!(network.to_string().parse::<Network>(), Ok(network));
            }
        }
    }
}
