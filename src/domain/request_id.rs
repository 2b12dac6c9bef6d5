//! Request ids.

use std::str::FromStr;

use super::invalid::Invalid;
use super::text::text_type;

text_type! {
    /// Names one request in the answer, the log and the journal.
    RequestId
}

impl FromStr for RequestId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let sane = (8..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if sane {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new(
                "must have 8 to 64 letters, digits, dots, hyphens or underscores",
            ))
        }
    }
}
