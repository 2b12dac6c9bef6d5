//! The words of the journal for what was done, one for each mutation.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::invalid::Invalid;
use super::refusal::Noun;

/// Declares [`Action`]: one name for each mutation, as it stands in the journal.
macro_rules! actions {
    ($($name:ident $text:literal $noun:ident),* $(,)?) => {
        /// What was done, as a word in the journal: `client.revoked`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "each is the mutation of the same name")]
        pub enum Action { $($name),* }

        impl Action {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            /// What kind of thing it is done to.
            #[must_use]
            pub const fn noun(self) -> Noun {
                match self { $(Self::$name => Noun::$noun),* }
            }
        }
    };
}

actions! {
    PartnerRegistered "partner.registered" Partner,
    PartnerChanged "partner.changed" Partner,
    PartnerSuspended "partner.suspended" Partner,
    PartnerReinstated "partner.reinstated" Partner,
    ApiRegistered "api.registered" Api,
    ApiChanged "api.changed" Api,
    ClientRegistered "client.registered" Client,
    ClientChanged "client.changed" Client,
    ClientSuspended "client.suspended" Client,
    ClientReinstated "client.reinstated" Client,
    ClientRevoked "client.revoked" Client,
    SecretAdded "secret.added" Secret,
    SecretRetired "secret.retired" Secret,
    OperatorCreated "operator.created" Operator,
    OperatorChanged "operator.changed" Operator,
    OperatorTokenRotated "operator.token_rotated" Operator,
    OperatorRevoked "operator.revoked" Operator,
    KeyAnnounced "key.announced" Key,
    KeyImported "key.imported" Key,
    KeyActivated "key.activated" Key,
    KeyRotated "key.rotated" Key,
    KeyRetired "key.retired" Key,
    KeyRevoked "key.revoked" Key,
    TokenRevoked "token.revoked" Token,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Action {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let found = Self::ALL.iter().copied().find(|action| action.as_str() == text);
        found.ok_or_else(|| Invalid::new("is not an action of the journal, such as client.revoked"))
    }
}

impl Serialize for Action {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Noun {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
