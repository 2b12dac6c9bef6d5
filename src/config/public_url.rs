//! The address under which partners know this installation; every issuer begins with it (RFC 8414 §2).

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::domain::Invalid;

/// Scheme, host and, where it is not the scheme's own, port: `https://auth.example.com`. No path, no trailing slash.
/// `http` for a loopback host only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    loopback: bool,
}

impl PublicUrl {
    /// The text that issuers begin with, in its one normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.origin
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether partners are to reach it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https:")
    }
}

impl FromStr for PublicUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let no_origin = || Invalid::new("is not an origin such as https://auth.example.com");
        let url = Url::parse(text).map_err(|_| no_origin())?;
        let origin = url.origin().ascii_serialization();
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(no_origin()),
        };
        // The parser forgives much (user names, backslashes, 127.1, tabs); what it had to change is refused instead.
        let lowered = text.strip_suffix('/').unwrap_or(text).to_ascii_lowercase();
        let own_port = match url.scheme() {
            "https" => ":443",
            "http" if loopback => ":80",
            "http" => return Err(Invalid::new("must use https, since its host is not a loopback address")),
            _ => return Err(no_origin()),
        };
        if lowered == origin || lowered.strip_suffix(own_port) == Some(&origin) {
            Ok(Self { origin, loopback })
        } else {
            Err(no_origin())
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_one_normal_form() {
        for (text, origin) in [
            ("https://auth.example.com", "https://auth.example.com"),
            ("https://auth.example.com/", "https://auth.example.com"),
            ("https://Auth.Example.COM:443", "https://auth.example.com"),
            ("https://auth.example.com:8443", "https://auth.example.com:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost:80/", "http://localhost"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(text.parse::<PublicUrl>().unwrap().as_str(), origin);
        }
    }

    #[test]
    fn only_a_loopback_host_may_do_without_tls() {
        let refused = "http://auth.example.com".parse::<PublicUrl>().unwrap_err();
        assert!(refused.reason().contains("https"));
        for bad in [
            "http://10.0.0.1",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
        assert!("http://127.8.9.1".parse::<PublicUrl>().unwrap().is_loopback());
        assert!(!"https://auth.example.com".parse::<PublicUrl>().unwrap().is_loopback());
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        let bad = [
            "",
            "auth.example.com",
            "https://",
            "https:auth.example.com",
            "https:\\\\auth.example.com",
            "https://auth.example.com//",
            "https://auth.example.com/oauth",
            "https://auth.example.com?x",
            "https://auth.example.com#x",
            "https://ada@auth.example.com",
            "https://ada:secret@auth.example.com",
            "https://auth.exam\tple.com",
            " https://auth.example.com",
            "https://ünïcode.example",
            "https://auth.example.com:80443",
            "http://127.1",
            "ftp://auth.example.com",
            "data:text/plain,x",
        ];
        for text in bad {
            assert!(text.parse::<PublicUrl>().is_err(), "{text:?}");
        }
    }
}
