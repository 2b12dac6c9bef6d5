//! Names, slugs and addresses: short texts with a grammar each. None can hold a control character.

use std::str::FromStr;

use super::invalid::Invalid;

/// Declares a text type: parsed by `FromStr`, carried by serde as a string, shown as it is. It never grows, so it has no room to.
macro_rules! text_type {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(&self.0, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::domain::Invalid;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }
    };
}
pub(crate) use text_type;

/// Whether `text` is made of lower-case letters, digits and single inner hyphens, and begins with a letter.
fn is_slug(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && !text.ends_with('-')
        && !text.contains("--")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn slug(text: &str) -> Result<Box<str>, Invalid> {
    if text.len() < 2 || text.len() > 40 {
        Err(Invalid::new("must have 2 to 40 characters"))
    } else if is_slug(text) {
        Ok(text.into())
    } else {
        Err(Invalid::new(
            "may hold lower-case letters, digits and single hyphens, and must begin with a letter",
        ))
    }
}

text_type! {
    /// The partner's slug, chosen once (`acme`). It is the tenant boundary and the `partnerId` claim.
    PartnerId
}

impl FromStr for PartnerId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        slug(text).map(Self)
    }
}

text_type! {
    /// The slug of an API within its environment (`orders`).
    ApiId
}

impl FromStr for ApiId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        slug(text).map(Self)
    }
}

text_type! {
    /// What people call a partner, an API, a client or a secret: 1 to 100 characters on one line.
    Name
}

impl FromStr for Name {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line(text).map(Self)
    }
}

text_type! {
    /// What a text of a row must contain to be listed: 1 to 100 characters on one line. ASCII letters are alike in whatever case; every
    /// other character is itself alone, so that each store finds the same, whatever its locale.
    Search
}

impl FromStr for Search {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        line(text).map(Self)
    }
}

impl Search {
    /// Whether `text` contains it.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        text.to_ascii_lowercase().contains(&self.0.to_ascii_lowercase())
    }
}

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

fn line(text: &str) -> Result<Box<str>, Invalid> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        Err(Invalid::new("must not be empty"))
    } else if trimmed.chars().count() > LONGEST_NAME {
        Err(Invalid::new("is longer than 100 characters"))
    } else if trimmed.chars().any(is_invisible) {
        Err(Invalid::new("holds a character that cannot be seen"))
    } else {
        Ok(trimmed.into())
    }
}

/// Control characters, line separators, marks that turn the direction of text around, and what takes no room: each can disguise
/// one name as another.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

text_type! {
    /// An e-mail address, lower-cased, checked for shape only: whether it is read is learned by writing to it.
    EmailAddress
}

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let lowered = text.trim().to_ascii_lowercase();
        let well_formed = lowered.len() <= 254
            && lowered
                .rsplit_once('@')
                .is_some_and(|(local, domain)| is_local_part(local) && is_domain(domain));
        if well_formed {
            Ok(Self(lowered.into()))
        } else {
            Err(Invalid::new("is not an e-mail address such as name@example.com"))
        }
    }
}

/// The dot-atom of RFC 5322 §3.2.3, at most 64 characters (RFC 5321 §4.5.3.1.1).
fn is_local_part(local: &str) -> bool {
    local.len() <= 64
        && local.split('.').all(|atom| {
            !atom.is_empty()
                && atom
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
        })
}

fn is_domain(domain: &str) -> bool {
    domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_lower_case_and_starts_with_a_letter() {
        for good in ["acme", "ab", "acme-eu", "a1-b2"] {
            assert_eq!(good.parse::<PartnerId>().map(String::from), Ok(good.to_owned()));
        }
        for bad in [
            "",
            "a",
            "Acme",
            "1acme",
            "-acme",
            "acme-",
            "ac--me",
            "ac_me",
            "acmé",
            "a b",
            &"a".repeat(41),
        ] {
            assert!(bad.parse::<PartnerId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_holds_no_invisible_character() {
        assert_eq!("  Acme GmbH ".parse::<Name>().unwrap().as_str(), "Acme GmbH");
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\u{7}b",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{200b}b",
            &"x".repeat(101),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn ascii_letters_are_found_in_whatever_case_and_others_as_they_are() {
        let search: Search = "  GmbH & Sö ".parse().unwrap();
        assert_eq!(search.as_str(), "GmbH & Sö");
        assert!(search.is_in("Acme gMBh & SöHNE"));
        assert!(!search.is_in("Acme GmbH & SÖhne"));
        assert!(!search.is_in("Acme GmbH"));
        for bad in ["", " ", "a\0", "a\u{202e}b", &"é".repeat(101)] {
            assert!(bad.parse::<Search>().is_err(), "{bad:?}");
        }
        assert!("é".repeat(100).parse::<Search>().is_ok());
    }

    #[test]
    fn an_address_has_the_shape_of_one() {
        assert_eq!(
            "Ada.L@Example.COM".parse::<EmailAddress>().unwrap().as_str(),
            "ada.l@example.com"
        );
        for bad in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a..b@example.com",
            "ada@-x.com",
            "a b@example.com",
            "a@b@c.d\n",
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
    }
}
