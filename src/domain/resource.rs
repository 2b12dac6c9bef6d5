//! Resource indicators (RFC 8707 §2): the URI by which an API is known, and so the audience of its tokens.

use std::str::FromStr;

use super::invalid::Invalid;
use super::text::text_type;

/// The longest resource indicator, in bytes.
const LONGEST_RESOURCE: usize = 512;

text_type! {
    /// An absolute URI (RFC 3986 §4.3) without query and fragment, compared character by character.
    ResourceIndicator
}

impl FromStr for ResourceIndicator {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() > LONGEST_RESOURCE {
            return Err(Invalid::new("is longer than 512 characters"));
        }
        if text.contains('#') {
            return Err(Invalid::new("must not have a fragment"));
        }
        if text.contains('?') {
            return Err(Invalid::new("must not have a query"));
        }
        let absolute = text
            .split_once(':')
            .is_some_and(|(scheme, rest)| is_scheme(scheme) && is_hierarchical_part(rest));
        if absolute {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new(
                "is not an absolute URI such as https://api.example.com/orders",
            ))
        }
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1).
fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// The characters of RFC 3986 §3.3 with whole percent-escapes; an authority, where there is one, names a host.
fn is_hierarchical_part(rest: &str) -> bool {
    let host_named = rest
        .strip_prefix("//")
        .is_none_or(|after| !after.is_empty() && !after.starts_with(['/', ':']));
    let bytes = rest.as_bytes();
    let legal = bytes.iter().enumerate().all(|(position, byte)| match byte {
        b'%' => bytes
            .get(position + 1..position + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/[]".contains(byte),
    });
    !rest.is_empty() && host_named && legal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absolute_uris_are_accepted_as_written() {
        for good in [
            "https://api.example.com/orders",
            "https://api.example.com",
            "urn:example:orders",
            "https://[::1]:8443/a%20b",
        ] {
            assert_eq!(good.parse::<ResourceIndicator>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn relative_fragment_query_and_broken_uris_are_refused() {
        let bad = [
            "",
            "orders",
            "/orders",
            "https:",
            "https://",
            "https:///x",
            "https://:80",
            "https://a#b",
            "https://a?b",
            "https://a b",
            "1http://a",
            "https://a/%2",
            "https://a/%zz",
            "https://a/\"",
            "https://ä.example",
            "https://a\n",
        ];
        for text in bad {
            assert!(text.parse::<ResourceIndicator>().is_err(), "{text:?}");
        }
    }
}
