//! The form body (RFC 6749 Appendix B), read strictly: UTF-8, whole percent-escapes, no parameter twice.
//!
//! A lenient reader lets two parties read the same bytes differently; this one refuses what is not plain.

use std::borrow::Cow;
use std::fmt;

use thiserror::Error;

/// The most parameters in one body.
const MOST_PARAMETERS: usize = 64;
/// The one parameter that may repeat (RFC 8707 §2).
const REPEATABLE: &str = "resource";

/// Why a body is not a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FormFault {
    /// A `%` without two hexadecimal digits behind it.
    #[error("the body holds a broken percent-escape")]
    Escape,
    /// The decoded bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    Encoding,
    /// A parameter other than `resource` stands twice (RFC 6749 §3.2).
    #[error("a parameter is sent twice")]
    Repeated,
    /// More parameters than any request needs.
    #[error("the body holds more than 64 parameters")]
    TooMany,
}

/// The parameters of a form, in their order. One without a value is absent (RFC 6749 §3.2).
#[derive(Default, PartialEq, Eq)]
pub struct Form<'a> {
    parameters: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Secrets and tokens come in forms, and nobody knows under which names: only how many parameters there are is shown.
impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("parameters", &self.parameters.len())
            .finish()
    }
}

/// Reads `application/x-www-form-urlencoded`.
///
/// # Errors
/// When the bytes are not a form, or a parameter stands twice.
pub fn parse(body: &[u8]) -> Result<Form<'_>, FormFault> {
    let mut form = Form::default();
    let mut names = 0;
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        names += 1;
        if names > MOST_PARAMETERS {
            return Err(FormFault::TooMany);
        }
        let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
            Some(middle) => (&pair[..middle], &pair[middle + 1..]),
            None => (pair, &pair[pair.len()..]),
        };
        let (name, value) = (decode(name)?, decode(value)?);
        if name != REPEATABLE && form.parameters.iter().any(|(known, _)| *known == name) {
            return Err(FormFault::Repeated);
        }
        form.parameters.push((name, value));
    }
    Ok(form)
}

impl Form<'_> {
    /// The value of a parameter; `None` when it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self
            .parameters
            .iter()
            .filter(|(known, value)| known == name && !value.is_empty());
        values.next().map(|(_, value)| &**value)
    }

    /// Every value of a parameter that may repeat, the empty ones left out.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.parameters
            .iter()
            .filter(move |(known, value)| known == name && !value.is_empty())
            .map(|(_, value)| &**value)
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte. What needs no decoding is borrowed.
///
/// # Errors
/// On a broken escape, or when the bytes are not UTF-8.
pub(super) fn decode(encoded: &[u8]) -> Result<Cow<'_, str>, FormFault> {
    if !encoded.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return std::str::from_utf8(encoded)
            .map(Cow::Borrowed)
            .map_err(|_| FormFault::Encoding);
    }
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let (high, low) = (
                    behind.first().copied().and_then(digit),
                    behind.get(1).copied().and_then(digit),
                );
                decoded.push(
                    high.zip(low)
                        .map(|(high, low)| high << 4 | low)
                        .ok_or(FormFault::Escape)?,
                );
                rest = &behind[2..];
            }
            byte => decoded.push(*byte),
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| FormFault::Encoding)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plus_percent_and_utf_8_are_decoded() {
        let form = parse(b"a=x+y&b=%C3%A9%2B&c=&d").unwrap();
        assert_eq!(form.get("a"), Some("x y"));
        assert_eq!(form.get("b"), Some("é+"));
        assert_eq!((form.get("c"), form.get("d"), form.get("e")), (None, None, None));
    }

    #[test]
    fn only_resource_may_repeat() {
        assert_eq!(parse(b"scope=a&scope=b"), Err(FormFault::Repeated));
        assert_eq!(parse(b"unknown=a&unknown=a"), Err(FormFault::Repeated));
        assert_eq!(parse(b"sc%6Fpe=a&scope=b"), Err(FormFault::Repeated));
        assert_eq!(parse(b"scope=&scope=b"), Err(FormFault::Repeated));
        let form = parse(b"resource=a&resource=&resource=b").unwrap();
        assert_eq!(form.all("resource").collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_is_written_for_debugging_holds_nothing_that_was_sent() {
        let form = parse(b"client_secret=mms_qa_secret&token=ey%4A&oops_mms_qa_name").unwrap();
        assert_eq!(format!("{form:?}"), "Form { parameters: 3 }");
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for body in [&b"a=%"[..], b"a=%2", b"a=%zz", b"%=a", b"a=%+1"] {
            assert_eq!(parse(body), Err(FormFault::Escape), "{body:?}");
        }
        for body in [&b"a=%ff"[..], b"a=\xff", b"\xc3\x28=a", b"a=%C3"] {
            assert_eq!(parse(body), Err(FormFault::Encoding), "{body:?}");
        }
        let many = (0..65)
            .map(|number| format!("p{number}=1"))
            .collect::<Vec<_>>()
            .join("&");
        assert_eq!(parse(many.as_bytes()), Err(FormFault::TooMany));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn what_is_encoded_comes_back(name in "[a-z]{1,8}", value in "\\PC{1,40}") {
            let encoded = value.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            let body = format!("{name}={encoded}");
            let form = parse(body.as_bytes()).unwrap();
            prop_assert_eq!(form.get(&name), Some(value.as_str()));
        }
    }
}
