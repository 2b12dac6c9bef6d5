//! The journal: who changed what, when, in an order that cannot be rewritten unseen.
//!
//! Each row's hash covers the row and the hash of the row before it, so a row changed, removed or put in between breaks the
//! chain at the place where it happened.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use super::action::Action;
use super::client::ClientId;
use super::environment::Environment;
use super::invalid::Invalid;
use super::operator::OperatorId;
use super::refusal::Noun;
use super::request_id::RequestId;
use super::secret::sha256;
use super::text::{EmailAddress, PartnerId};
use super::time::Milliseconds;

/// The number of a mutation: the first is 1, each is one more than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(i64);

impl Epoch {
    /// Before the first mutation.
    pub const ZERO: Self = Self(0);

    /// As read from the store.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The epoch of the next mutation.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a row there can be; [`Epoch::ZERO`] has none.
impl FromStr for Epoch {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.parse::<i64>()
            .ok()
            .filter(|number| *number > 0 && number.to_string() == text)
            .map(Self)
            .ok_or_else(|| Invalid::new("is not the number of a row of the journal"))
    }
}

/// Who made a change. In JSON and SQL one text: `operator:ab12… (ada@example.com)`, `client:qa-acme-…`, `server`, `command line`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An operator, through the admin API.
    Operator(OperatorId, EmailAddress),
    /// A client, which may revoke its own tokens.
    Client(ClientId),
    /// The server itself: the rotation of its keys.
    Server,
    /// Somebody with access to the machine: the first operator is made this way.
    CommandLine,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(operator_id, email) => write!(f, "operator:{operator_id} ({email})"),
            Self::Client(client_id) => write!(f, "client:{client_id}"),
            Self::Server => f.write_str("server"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// To whom and when a change is put down.
#[derive(Clone, Debug)]
pub struct Attribution {
    /// Who.
    pub actor: Actor,
    /// When.
    pub at: Milliseconds,
    /// In which request, where there was one.
    pub request_id: Option<RequestId>,
}

/// The hash of a journal row: SHA-256, in JSON and SQL as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

impl ChainHash {
    /// What stands before the first row.
    pub const GENESIS: Self = Self([0; 32]);
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ChainHash {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const REASON: Invalid = Invalid::new("is not 64 hexadecimal digits");
        if text.len() != 64
            || !text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return Err(REASON);
        }
        let mut bytes = [0; 32];
        for (byte, position) in bytes.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[position..position + 2], 16).map_err(|_| REASON)?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for ChainHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One row of the journal, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    /// Its number.
    pub epoch: Epoch,
    /// When, in milliseconds since 1970.
    pub at: Milliseconds,
    /// Who, as written by [`Actor`].
    pub actor: String,
    /// What was done.
    pub action: Action,
    /// To what kind of thing.
    pub noun: Noun,
    /// To which: its id.
    pub subject: String,
    /// Whose it is, where it is a partner's.
    pub partner_id: Option<PartnerId>,
    /// Where it is, where it is in one environment.
    pub environment: Option<Environment>,
    /// What it became: JSON, without secrets.
    pub detail: String,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// The hash of the row before.
    pub previous_hash: ChainHash,
    /// The hash of this row.
    pub hash: ChainHash,
}

impl JournalEntry {
    /// The hash this row must have: SHA-256 over every other member, each preceded by its length in eight bytes, so that no
    /// two different rows are written alike. What is absent counts as empty.
    #[must_use]
    pub fn expected_hash(&self) -> ChainHash {
        let members: [String; 11] = [
            self.epoch.to_string(),
            self.at.0.to_string(),
            self.actor.clone(),
            self.action.as_str().to_owned(),
            self.noun.as_str().to_owned(),
            self.subject.clone(),
            self.partner_id.as_ref().map_or_else(String::new, ToString::to_string),
            self.environment
                .map_or_else(String::new, |environment| environment.to_string()),
            self.detail.clone(),
            self.request_id.as_ref().map_or_else(String::new, ToString::to_string),
            self.previous_hash.to_string(),
        ];
        let lengths: Vec<[u8; 8]> = members
            .iter()
            .map(|member| (member.len() as u64).to_be_bytes())
            .collect();
        let parts: Vec<&[u8]> = lengths
            .iter()
            .zip(&members)
            .flat_map(|(length, member)| [&length[..], member.as_bytes()])
            .collect();
        ChainHash(sha256(&parts))
    }

    /// The row with its hash put in.
    #[must_use]
    pub fn sealed(self) -> Self {
        Self {
            hash: self.expected_hash(),
            ..self
        }
    }

    /// Whether this row stands rightly after `before` (`None`: it is the first).
    ///
    /// # Errors
    /// With what is wrong with it.
    pub fn follows(&self, before: Option<&Self>) -> Result<(), BrokenChain> {
        let (epoch, hash) = before.map_or((Epoch::ZERO, ChainHash::GENESIS), |row| (row.epoch, row.hash));
        if self.epoch != epoch.next() {
            Err(BrokenChain::Missing {
                expected: epoch.next(),
                found: self.epoch,
            })
        } else if self.previous_hash != hash {
            Err(BrokenChain::Unlinked(self.epoch))
        } else if self.hash != self.expected_hash() {
            Err(BrokenChain::Altered(self.epoch))
        } else {
            Ok(())
        }
    }
}

/// Where and how the journal is not what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenChain {
    /// Rows are gone, or rows were put in between.
    #[error("epoch {expected} is missing: epoch {found} stands in its place")]
    Missing {
        /// The epoch that should come.
        expected: Epoch,
        /// The one that came.
        found: Epoch,
    },
    /// The row names another predecessor.
    #[error("epoch {0} does not follow the row before it: one of the two was altered")]
    Unlinked(Epoch),
    /// The row's content does not have the row's hash.
    #[error("epoch {0} was altered after it was written")]
    Altered(Epoch),
    /// The head says that there are more rows than there are.
    #[error("the journal ends at epoch {found}, but the head stands at epoch {head}")]
    Truncated {
        /// The last row there is.
        found: Epoch,
        /// The row there should be.
        head: Epoch,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(epoch: i64, previous_hash: ChainHash) -> JournalEntry {
        JournalEntry {
            epoch: Epoch::new(epoch),
            at: Milliseconds(1_700_000_000_123),
            actor: Actor::CommandLine.to_string(),
            action: Action::PartnerRegistered,
            noun: Noun::Partner,
            subject: "acme".to_owned(),
            partner_id: Some("acme".parse().unwrap()),
            environment: None,
            detail: "{}".to_owned(),
            request_id: None,
            previous_hash,
            hash: ChainHash::GENESIS,
        }
        .sealed()
    }

    #[test]
    fn rows_in_order_hold() {
        let first = row(1, ChainHash::GENESIS);
        let second = row(2, first.hash);
        assert_eq!(first.follows(None), Ok(()));
        assert_eq!(second.follows(Some(&first)), Ok(()));
    }

    #[test]
    fn a_row_altered_removed_or_exchanged_is_named() {
        let first = row(1, ChainHash::GENESIS);
        let second = row(2, first.hash);
        let altered = JournalEntry {
            subject: "acne".to_owned(),
            ..second.clone()
        };
        assert_eq!(altered.follows(Some(&first)), Err(BrokenChain::Altered(Epoch::new(2))));
        let third = row(3, second.hash);
        let gone = BrokenChain::Missing {
            expected: Epoch::new(2),
            found: Epoch::new(3),
        };
        assert_eq!(third.follows(Some(&first)), Err(gone));
        let rewritten = JournalEntry {
            subject: "acne".to_owned(),
            ..first
        }
        .sealed();
        assert_eq!(
            second.follows(Some(&rewritten)),
            Err(BrokenChain::Unlinked(Epoch::new(2)))
        );
    }

    #[test]
    fn moving_a_letter_between_members_changes_the_hash() {
        let one = JournalEntry {
            actor: "ab".to_owned(),
            subject: "c".to_owned(),
            ..row(1, ChainHash::GENESIS)
        };
        let other = JournalEntry {
            actor: "a".to_owned(),
            subject: "bc".to_owned(),
            ..row(1, ChainHash::GENESIS)
        };
        assert_ne!(one.expected_hash(), other.expected_hash());
    }
}
