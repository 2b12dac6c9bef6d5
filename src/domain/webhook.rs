//! Where notices are sent and how that is signed: the address, the secret, and the signature of the Standard Webhooks
//! specification 1.0 (symmetric).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::invalid::Invalid;
use super::notice::NoticeId;
use super::secret::hmac_sha256;
use super::time::Timestamp;

/// The longest address, in bytes.
const LONGEST_URL: usize = 2048;
/// What a secret begins with, by the specification.
const SECRET_PREFIX: &str = "whsec_";
/// The least a secret holds, in bytes: as much as the digest it is the key of (RFC 2104 §3).
const SHORTEST_SECRET: usize = 32;
/// The most a secret holds, in bytes, by the specification.
const LONGEST_SECRET: usize = 64;

/// The address of a receiver: `https`, or `http` to a loopback host; no user name, no fragment. Its path may be a secret in itself,
/// so neither `Display` nor `Debug` shows more than its origin.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl {
    url: Zeroizing<String>,
    origin: String,
}

impl WebhookUrl {
    /// The whole address.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.url
    }
}

impl FromStr for WebhookUrl {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let shape = || Invalid::new("is not an address such as https://hooks.example.com/mintmark");
        if text.len() > LONGEST_URL || !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return Err(shape());
        }
        let url = Url::parse(text).map_err(|_| shape())?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(shape()),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(Invalid::new("must use https, since its host is not a loopback address")),
            _ => return Err(shape()),
        }
        if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
            return Err(Invalid::new("must not hold a user name or a password"));
        }
        if url.fragment().is_some() {
            return Err(Invalid::new("must not hold a fragment"));
        }
        Ok(Self {
            origin: url.origin().ascii_serialization(),
            url: Zeroizing::new(url.into()),
        })
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.url.strip_prefix(&self.origin);
        let tail = if matches!(rest, Some("" | "/")) { "" } else { "/…" };
        write!(f, "{}{tail}", self.origin)
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key that sender and receiver share: `whsec_` and 32 to 64 bytes in base64. Wiped on drop, never shown.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl FromStr for WebhookSecret {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let bytes = text
            .strip_prefix(SECRET_PREFIX)
            .and_then(|encoded| STANDARD.decode(encoded).ok())
            .map(Zeroizing::new)
            .ok_or_else(|| Invalid::new("is not whsec_ and base64"))?;
        if (SHORTEST_SECRET..=LONGEST_SECRET).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(Invalid::new("must hold 32 to 64 bytes in base64"))
        }
    }
}

impl fmt::Display for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What is signed: the id, the second at which it is sent, and the body as it is sent.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The header `webhook-id`.
    pub id: &'a NoticeId,
    /// The header `webhook-timestamp`.
    pub at: Timestamp,
    /// The body.
    pub body: &'a [u8],
}

/// The header `webhook-signature`: one signature under each secret, so that a receiver may know either while they are changed.
#[must_use]
pub fn webhook_signature(secrets: &[WebhookSecret], signed: Signed<'_>) -> String {
    let at = signed.at.seconds().to_string();
    let parts = [signed.id.as_str().as_bytes(), b".", at.as_bytes(), b".", signed.body];
    let signatures: Vec<String> = secrets
        .iter()
        .map(|secret| format!("v1,{}", STANDARD.encode(hmac_sha256(&secret.0, &parts))))
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_stays_on_this_machine() {
        for good in [
            "https://hooks.example.com/mintmark?team=a",
            "https://10.0.0.7:8443/",
            "http://127.0.0.1:9000/in",
            "http://[::1]:9000",
            "http://localhost/in",
        ] {
            assert!(good.parse::<WebhookUrl>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "hooks.example.com",
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "https://",
            "https://ada@hooks.example.com/",
            "https://ada:secret@hooks.example.com/",
            "https://@hooks.example.com/",
            "https://hooks.example.com/#x",
            "https://hooks.example.com\\@evil.example",
            "https://hooks.example.com/a b",
            "ftp://hooks.example.com/",
            "file:///etc/passwd",
        ] {
            assert!(bad.parse::<WebhookUrl>().is_err(), "{bad}");
        }
        assert!(
            format!("https://h.example/{}", "x".repeat(2048))
                .parse::<WebhookUrl>()
                .is_err()
        );
    }

    #[test]
    fn an_address_is_shown_without_its_path() {
        let url: WebhookUrl = "https://hooks.example.com/services/T0/hunter2?key=hunter2"
            .parse()
            .unwrap();
        assert_eq!(
            format!("{url} {url:?}"),
            "https://hooks.example.com/… https://hooks.example.com/…"
        );
        assert_eq!(
            "https://h.example:8443/".parse::<WebhookUrl>().unwrap().to_string(),
            "https://h.example:8443"
        );
        assert_eq!(
            url.expose(),
            "https://hooks.example.com/services/T0/hunter2?key=hunter2"
        );
    }

    #[test]
    fn a_secret_holds_32_to_64_bytes() {
        let secret = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes])).parse::<WebhookSecret>();
        assert!(secret(32).is_ok() && secret(64).is_ok());
        assert!(secret(31).is_err() && secret(65).is_err());
        for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%%"] {
            assert!(bad.parse::<WebhookSecret>().is_err(), "{bad}");
        }
        assert_eq!(format!("{0} {0:?}", secret(32).unwrap()), "[redacted] [redacted]");
    }

    #[test]
    fn a_signature_is_what_another_implementation_computes() {
        // Python 3: base64.b64encode(hmac.new(bytes(range(n)), b"01….1800000000.{…}", hashlib.sha256).digest()), n = 32 and 64.
        let secrets = [32, 64].map(|bytes: u8| {
            let key: Vec<u8> = (0..bytes).collect();
            format!("whsec_{}", STANDARD.encode(key)).parse().unwrap()
        });
        let id: NoticeId = "01000000000000000000000000".parse().unwrap();
        let signed = Signed {
            id: &id,
            at: Timestamp::from_seconds(1_800_000_000),
            body: br#"{"type":"secret.expiring"}"#,
        };
        assert_eq!(
            webhook_signature(&secrets, signed),
            "v1,Cf3qeyNxGnvIKUP0BwQfPDSz2VsZIWNccIeQ7SKFpIc= v1,+wBkYddl4Uq9S5/hr+GS8mnwG46TYWKkSdlg00jZKGM="
        );
    }
}
