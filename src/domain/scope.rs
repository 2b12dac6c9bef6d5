//! Scope (RFC 6749 §3.3): a set of scope tokens, sorted, each legal, or it does not exist.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::text::text_type;

/// The longest scope token, in bytes.
const LONGEST_SCOPE_TOKEN: usize = 128;

/// The most scope tokens in one scope.
pub const MOST_SCOPE_TOKENS: usize = 256;

text_type! {
    /// One `scope-token`: `1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3), at most 128 bytes.
    ScopeToken
}

impl FromStr for ScopeToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.is_empty() {
            Err(Invalid::new(
                "holds an empty scope token: tokens are separated by one space each",
            ))
        } else if text.len() > LONGEST_SCOPE_TOKEN {
            Err(Invalid::new("holds a scope token longer than 128 characters"))
        } else if text
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
        {
            Ok(Self(text.into()))
        } else {
            Err(Invalid::new("holds a character that no scope token may hold"))
        }
    }
}

/// A set of scope tokens. Its text form is sorted and separated by single spaces; the empty set exists and grants nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<ScopeToken>", into = "Vec<ScopeToken>")]
pub struct Scope(BTreeSet<ScopeToken>);

impl Scope {
    /// Whether there is no token in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of tokens.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether `token` is in it. Case matters (RFC 6749 §3.3).
    #[must_use]
    pub fn contains(&self, token: &ScopeToken) -> bool {
        self.0.contains(token)
    }

    /// The tokens in order.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }

    /// The tokens in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that `other` lacks.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Whether `other` has every token of this one.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl TryFrom<Vec<ScopeToken>> for Scope {
    type Error = Invalid;

    fn try_from(tokens: Vec<ScopeToken>) -> Result<Self, Invalid> {
        if tokens.len() > MOST_SCOPE_TOKENS {
            return Err(Invalid::new("holds more than 256 scope tokens"));
        }
        Ok(tokens.into_iter().collect())
    }
}

impl From<Scope> for Vec<ScopeToken> {
    fn from(scope: Scope) -> Self {
        scope.0.into_iter().collect()
    }
}

impl FromStr for Scope {
    type Err = Invalid;

    /// Reads `scope-token *( SP scope-token )`. A token named twice counts once, since order and repetition mean nothing.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.bytes().filter(|byte| *byte == b' ').count() >= MOST_SCOPE_TOKENS {
            return Err(Invalid::new("holds more than 256 scope tokens"));
        }
        text.split(' ')
            .map(str::parse)
            .collect::<Result<BTreeSet<_>, _>>()
            .map(Self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn order_and_repetition_mean_nothing() {
        let scope: Scope = "write read write".parse().unwrap();
        assert_eq!(scope.to_string(), "read write");
        assert_eq!(scope.len(), 2);
    }

    #[test]
    fn case_matters() {
        let scope: Scope = "Read".parse().unwrap();
        assert!(!scope.contains(&"read".parse().unwrap()));
    }

    #[test]
    fn what_the_grammar_does_not_know_is_refused() {
        for bad in [
            "",
            " ",
            " read",
            "read ",
            "read  write",
            "re\"ad",
            "re\\ad",
            "lés",
            "a\tb",
            "a\nb",
            "\u{7f}",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
        let many = vec!["x"; MOST_SCOPE_TOKENS + 1].join(" ");
        assert!(many.parse::<Scope>().is_err());
    }

    proptest! {
        #[test]
        fn text_and_set_are_one(tokens in prop::collection::btree_set("[!#-\\[\\]-~]{1,12}", 1..20)) {
            let text = tokens.iter().cloned().collect::<Vec<_>>().join(" ");
            let scope: Scope = text.parse().unwrap();
            prop_assert_eq!(scope.to_string(), text);
            prop_assert_eq!(scope.len(), tokens.len());
        }

        #[test]
        fn any_text_parses_or_is_refused_and_what_parses_is_stable(text in "\\PC{0,80}") {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope));
            }
        }
    }
}
