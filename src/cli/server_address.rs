//! Where a server's admin listener is. A token is sent in clear only to this very machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

use super::failure::Failure;
use crate::config::Settings;

/// The origin of an admin listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerAddress(Url);

impl ServerAddress {
    /// From what a person wrote.
    ///
    /// # Errors
    /// When it is not an origin, or plain `http` to another machine.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let not_an_origin =
            || Failure::usage("the server's address must be an origin such as https://auth.example.com:8081");
        let url = Url::parse(text).map_err(|_| not_an_origin())?;
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        match url.scheme() {
            "https" if bare => Ok(Self(url)),
            "http" if bare && is_this_machine(&url) => Ok(Self(url)),
            "http" if bare => Err(Failure::usage(
                "plain http would show the operator's token to everyone on the way: use https, or a tunnel to a loopback address",
            )),
            _ => Err(not_an_origin()),
        }
    }

    /// The admin listener that `settings` describe, seen from its own machine.
    pub(super) fn of(settings: &Settings) -> Self {
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let address = reachable(settings.listen.admin);
        let url = Url::parse(&format!("{scheme}://{address}")).expect("a scheme and a socket address make a URL");
        Self(url)
    }

    /// The address of `path`, with `query` behind it.
    pub(super) fn at(&self, path: &str, query: &[(String, String)]) -> String {
        let mut url = self.0.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url.into()
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Who listens everywhere is asked at the loopback address.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let address = match listening.ip() {
        IpAddr::V4(address) if address.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) if address.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    SocketAddr::new(address, listening.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::failure::Exit;

    #[test]
    fn an_address_is_an_origin() {
        for good in [
            "https://auth.example.com",
            "https://auth.example.com:8081/",
            "http://127.0.0.1:8081",
            "http://127.8.9.1",
            "http://[::1]:8081",
            "http://localhost:8081",
        ] {
            assert!(ServerAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "auth.example.com",
            "127.0.0.1:8081",
            "ftp://127.0.0.1",
            "https://user@auth.example.com",
            "https://auth.example.com/admin",
            "https://auth.example.com/?a",
            "https://auth.example.com/#a",
        ] {
            assert_eq!(ServerAddress::parse(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn plain_http_goes_to_this_machine_only() {
        for elsewhere in [
            "http://auth.example.com",
            "http://10.0.0.1:8081",
            "http://localhost.example.com",
            "http://[2001:db8::1]",
            "http://0.0.0.0:8081",
        ] {
            let refused = ServerAddress::parse(elsewhere).unwrap_err();
            assert!(refused.sentences[0].starts_with("plain http"), "{elsewhere}");
        }
    }

    #[test]
    fn the_settings_tell_where_their_own_server_is() {
        let of = |pairs: &[(&str, &str)]| {
            let pairs = pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let settings = Settings::from_environment(pairs).unwrap();
            ServerAddress::of(&settings).at("/readyz", &[])
        };
        assert_eq!(of(&[]), "http://127.0.0.1:8081/readyz");
        let proxied = ("MINTMARK_TRUSTED_PROXIES", "10.0.0.1");
        assert_eq!(
            of(&[proxied, ("MINTMARK_LISTEN__ADMIN", "0.0.0.0:9")]),
            "http://127.0.0.1:9/readyz"
        );
        assert_eq!(
            of(&[proxied, ("MINTMARK_LISTEN__ADMIN", "[::]:9")]),
            "http://[::1]:9/readyz"
        );
        let tls = [
            ("MINTMARK_TLS__CERTIFICATE_FILE", "/c.pem"),
            ("MINTMARK_TLS__KEY_FILE", "/k.pem"),
            ("MINTMARK_LISTEN__ADMIN", "10.0.0.7:9"),
        ];
        assert_eq!(of(&tls), "https://10.0.0.7:9/readyz");
    }

    #[test]
    fn a_query_is_encoded() {
        let server = ServerAddress::parse("http://127.0.0.1").unwrap();
        let query = [("subject".to_owned(), "a b&c=d".to_owned())];
        assert_eq!(
            server.at("/admin/v1/journal", &query),
            "http://127.0.0.1/admin/v1/journal?subject=a+b%26c%3Dd"
        );
    }
}
