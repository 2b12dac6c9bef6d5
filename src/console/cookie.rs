//! The cookie by which a browser speaks for an operator (RFC 6265 §4.1): sent back to this origin alone, to no script, and with no
//! request that another site began.

use std::fmt::Write as _;

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::domain::{Seconds, Secret};

/// Over what browsers send the cookie back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieScope {
    /// Over TLS only, ours or that of a trusted proxy.
    Tls,
    /// Over plain HTTP, which is served on a loopback address only.
    Loopback,
}

impl CookieScope {
    /// The prefix keeps other hosts of the domain from setting it (RFC 6265bis §4.1.3.2).
    const fn name(self) -> &'static str {
        match self {
            Self::Tls => "__Host-mintmark_session",
            Self::Loopback => "mintmark_session",
        }
    }

    /// What a request brings of it.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<&str> {
        let lines = headers.get_all(header::COOKIE).filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name());
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            // Of two one was put there by somebody else.
            _ => None,
        }
    }

    /// The header that has a browser keep it.
    pub(super) fn keep(self, secret: &Secret, longest: Seconds) -> HeaderValue {
        self.header(secret.expose(), longest)
    }

    /// The header that has a browser forget it.
    pub(super) fn forget(self) -> HeaderValue {
        self.header("", Seconds(0))
    }

    fn header(self, value: &str, longest: Seconds) -> HeaderValue {
        let mut text = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict",
            self.name(),
            longest.0
        );
        if self == Self::Tls {
            write!(text, "; Secure").expect("memory takes all that is written to it");
        }
        let mut value = HeaderValue::from_str(&text).expect("a secret is visible ASCII without a semicolon");
        value.set_sensitive(true);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(scope: CookieScope, lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
        }
        scope.read(&headers).map(str::to_owned)
    }

    #[test]
    fn it_is_read_from_among_others() {
        let lines = ["theme=dark; mintmark_session=mmb_a; x=y"];
        assert_eq!(read(CookieScope::Loopback, &lines), Some("mmb_a".to_owned()));
        assert_eq!(read(CookieScope::Tls, &lines), None, "the name belongs to the scope");
        assert_eq!(
            read(CookieScope::Loopback, &["a=b", "mintmark_session=mmb_b"]),
            Some("mmb_b".to_owned())
        );
    }

    #[test]
    fn of_two_neither_counts() {
        for lines in [
            &["mintmark_session=a; mintmark_session=b"][..],
            &["mintmark_session=a", "mintmark_session=a"],
        ] {
            assert_eq!(read(CookieScope::Loopback, lines), None, "{lines:?}");
        }
    }

    #[test]
    fn no_script_and_no_other_site_can_use_it() {
        let text = |scope: CookieScope| scope.forget().to_str().unwrap().to_owned();
        let plain = "mintmark_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
        assert_eq!(text(CookieScope::Loopback), plain);
        assert_eq!(text(CookieScope::Tls), format!("__Host-{plain}; Secure"));
    }
}
