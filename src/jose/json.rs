//! JSON objects in which every name stands once, at every depth (RFC 7515 §4, RFC 7519 §4).
//!
//! A reader that keeps the first of two equal names and a reader that keeps the last see two different tokens under one
//! signature. So a text with a repeated name has no meaning here at all.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// Why a text is not an object we read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum JsonFault {
    /// It is not JSON in UTF-8, or is nested deeper than 128 levels.
    #[error("is not JSON")]
    Malformed,
    /// It is JSON, but not an object.
    #[error("is not a JSON object")]
    NotAnObject,
    /// A member name stands twice in one object.
    #[error("holds a member name twice")]
    DuplicateMember,
}

/// Whether `text` is one JSON object without a repeated member name at any depth.
///
/// # Errors
/// What is wrong with it, never a part of it.
pub(super) fn require_object_of_unique_members(text: &[u8]) -> Result<(), JsonFault> {
    // The visitor below has one complaint of its own; everything else is a matter of syntax.
    serde_json::from_slice::<UniqueMembers>(text).map_err(|error| {
        if error.is_data() {
            JsonFault::DuplicateMember
        } else {
            JsonFault::Malformed
        }
    })?;
    if text.trim_ascii_start().starts_with(b"{") {
        Ok(())
    } else {
        Err(JsonFault::NotAnObject)
    }
}

/// Any JSON value in which no object repeats a name. The value itself is not kept.
struct UniqueMembers;

impl<'de> Deserialize<'de> for UniqueMembers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = UniqueMembers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<UniqueMembers, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member name stands twice"));
            }
            members.next_value::<UniqueMembers>()?;
        }
        Ok(UniqueMembers)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<UniqueMembers, A::Error> {
        while elements.next_element::<UniqueMembers>()?.is_some() {}
        Ok(UniqueMembers)
    }

    fn visit_unit<E>(self) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_bool<E>(self, _: bool) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_u64<E>(self, _: u64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_i64<E>(self, _: i64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_f64<E>(self, _: f64) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }

    fn visit_str<E>(self, _: &str) -> Result<UniqueMembers, E> {
        Ok(UniqueMembers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_unique_members_pass() {
        for good in [
            "{}",
            " \r\n\t{\"a\":1}",
            r#"{"a":{"a":{"a":[{"a":1},{"a":2}]}},"b":[1,-1,1.5,true,null,"x"]}"#,
        ] {
            assert_eq!(require_object_of_unique_members(good.as_bytes()), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_repeated_name_is_found_at_every_depth_and_in_every_spelling() {
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":null}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[0,[{"b":1,"b":2}]]}"#,
            r#"{"alg":1,"\u0061lg":2}"#,
        ] {
            let refused = require_object_of_unique_members(bad.as_bytes());
            assert_eq!(refused, Err(JsonFault::DuplicateMember), "{bad}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for bad in ["[]", "[{}]", "\"{}\"", "1", "null", "true"] {
            let refused = require_object_of_unique_members(bad.as_bytes());
            assert_eq!(refused, Err(JsonFault::NotAnObject), "{bad}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "{\"a\":".repeat(200) + "1" + &"}".repeat(200);
        for bad in [
            "",
            "{",
            "{}{}",
            "{} x",
            "{'a':1}",
            "{\"a\":NaN}",
            "{\"a\":1e400}",
            "{\"a\":01}",
            "{\"a\":1,}",
            "{\"a\":\"\\ud800\"}",
            "\u{feff}{}",
            &deep,
        ] {
            let refused = require_object_of_unique_members(bad.as_bytes());
            assert_eq!(refused, Err(JsonFault::Malformed), "{bad}");
        }
        assert_eq!(
            require_object_of_unique_members(b"{\"a\":\"\xff\"}"),
            Err(JsonFault::Malformed)
        );
    }
}
