//! HTTP Basic as OAuth uses it (RFC 6749 §2.3.1): base64, then UTF-8, then the first colon, then form-decoding of each half.

use std::borrow::Cow;
use std::mem;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::form;

/// The longest `Authorization` value that is read, in bytes.
const LONGEST_VALUE: usize = 1024;

/// Why an `Authorization` header gives no client id and secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BasicFault {
    /// It is of another scheme.
    #[error("the Authorization header is not of the Basic scheme")]
    Scheme,
    /// It is longer than any credentials of ours.
    #[error("the Authorization header is too long")]
    TooLong,
    /// Not base64 with its padding (RFC 4648 §4).
    #[error("the Basic credentials are not base64")]
    Base64,
    /// Not UTF-8, before or after form-decoding, or a broken escape.
    #[error("the Basic credentials are not form-encoded UTF-8")]
    Encoding,
    /// No colon between id and secret.
    #[error("the Basic credentials have no colon")]
    Colon,
}

/// A client id and a secret.
pub struct BasicCredentials {
    /// The first half.
    pub client_id: String,
    /// The second half.
    pub client_secret: Zeroizing<String>,
}

/// Reads the value of an `Authorization` header. The scheme's case does not matter (RFC 9110 §11.1).
///
/// # Errors
/// With the first thing that is not as it should be.
pub fn parse(value: &str) -> Result<BasicCredentials, BasicFault> {
    if value.len() > LONGEST_VALUE {
        return Err(BasicFault::TooLong);
    }
    let (scheme, encoded) = value.split_once(' ').ok_or(BasicFault::Scheme)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(BasicFault::Scheme);
    }
    let mut decoded = Zeroizing::new(
        STANDARD
            .decode(encoded.trim_start_matches(' '))
            .map_err(|_| BasicFault::Base64)?,
    );
    let pair = std::str::from_utf8(&decoded).map_err(|_| BasicFault::Encoding)?;
    let (client_id, client_secret) = pair.split_once(':').ok_or(BasicFault::Colon)?;
    let client_id = half(client_id)?.into_owned();
    let client_secret = match half(client_secret)? {
        Cow::Owned(secret) => secret,
        // A secret that stands there as it is stays where it is.
        Cow::Borrowed(secret) => {
            let before = pair.len() - secret.len();
            decoded.drain(..before);
            String::from_utf8(mem::take(&mut *decoded)).map_err(|_| BasicFault::Encoding)?
        }
    };
    Ok(BasicCredentials {
        client_id,
        client_secret: Zeroizing::new(client_secret),
    })
}

fn half(half: &str) -> Result<Cow<'_, str>, BasicFault> {
    form::decode(half.as_bytes()).map_err(|_| BasicFault::Encoding)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pair: &[u8]) -> Result<(String, String), BasicFault> {
        let credentials = parse(&format!("Basic {}", STANDARD.encode(pair)))?;
        Ok((credentials.client_id, credentials.client_secret.to_string()))
    }

    #[test]
    fn the_example_of_the_rfc_is_read() {
        // RFC 6749 §2.3.1.
        let credentials = parse("Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3").unwrap();
        assert_eq!(credentials.client_id, "s6BhdRkqt3");
        assert_eq!(*credentials.client_secret, "7Fjfp0ZBr1KtDRbnfVdmIw");
    }

    #[test]
    fn colon_plus_percent_space_and_e_acute_survive() {
        assert_eq!(read(b"id:a:b"), Ok(("id".to_owned(), "a:b".to_owned())));
        assert_eq!(
            read(b"i%3Ad:a+b%2B%25%C3%A9"),
            Ok(("i:d".to_owned(), "a b+%é".to_owned()))
        );
        assert_eq!(read("é:é".as_bytes()), Ok(("é".to_owned(), "é".to_owned())));
        assert_eq!(read(b":"), Ok((String::new(), String::new())));
    }

    #[test]
    fn the_scheme_is_compared_without_case() {
        assert!(parse("bAsIc YTpi").is_ok());
        for other in ["Bearer YTpi", "Basic", "BasicYTpi", "", "Basic\tYTpi"] {
            assert_eq!(parse(other).err(), Some(BasicFault::Scheme), "{other}");
        }
    }

    #[test]
    fn loose_base64_is_refused() {
        // "a:b" is YTpi; the others differ in padding, alphabet, trailing bits or white space.
        for loose in [
            "Basic YTpi=",
            "Basic YTo",
            "Basic YTp-",
            "Basic YT pi",
            "Basic YTpi\n",
            "Basic YTq=",
        ] {
            assert_eq!(parse(loose).err(), Some(BasicFault::Base64), "{loose:?}");
        }
    }

    #[test]
    fn broken_pairs_are_refused() {
        assert_eq!(read(b"no colon"), Err(BasicFault::Colon));
        assert_eq!(read(b"a:%zz"), Err(BasicFault::Encoding));
        assert_eq!(read(b"a:%ff"), Err(BasicFault::Encoding));
        assert_eq!(read(b"a:\xff"), Err(BasicFault::Encoding));
        assert_eq!(read(&[b'a'; 1024]), Err(BasicFault::TooLong));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(value in "\\PC{0,80}") {
            let _ = parse(&value);
            let _ = read(value.as_bytes());
        }
    }
}
