//! What survives a restart. The port is here; `sql` and `memory` implement it, and one conformance suite defines it.
//!
//! Reading and deciding go through [`Records`]; writing goes through [`Store::commit`] alone. A commit is one transaction that
//! begins by taking the next epoch, which orders all commits; only then does the decision read what it depends on, so
//! nothing it saw can change before it is written. The journal row is written in the same transaction.

mod bulk;
mod connection;
mod door;
mod memory;
mod migrations;
mod notices;
mod opening;
mod page;
mod rows;
mod schema;
mod sealing;
mod sessions;
mod sql;
mod surveys;
mod url;
mod usage;

use std::num::NonZeroU64;

use thiserror::Error;

pub use bulk::{BulkError, commit_in_bulk};
pub use door::{Asker, Door, Settled, WaitObserver};
pub use memory::MemoryStore;
pub use migrations::{Migrate, MigrationError};
pub use notices::{EndingCount, EndingKey, NearEnd, NoticeBoard, NoticeFilter};
pub use opening::{OpenError, StoreSettings, migrate, open, pending_migrations, revert_all_migrations};
pub use page::{ClientFilter, JournalFilter, Order, Page, PartnerFilter};
pub use sealing::{MasterKey, MasterKeyError, SealedColumn, Sealer, Unopenable, verify_or_begin};
pub use sessions::{MOST_SESSIONS, SessionBook};
pub use surveys::ClientCount;
pub use url::DatabaseUrl;
pub use usage::{UsageFilter, UsageGroup, UsagePlace, UsageRow};

use crate::domain::{
    Api, ApiId, Attribution, ChainHash, Change, Client, ClientId, ClientSecret, Ending, Environment, Epoch,
    IdempotencyKey, IdempotencyRecord, JournalEntry, KeptNotice, KeyId, Meter, NoticeId, NoticeKind, Operator,
    OperatorId, Partner, PartnerId, Refusal, RevokedToken, Seconds, SecretDigest, SigningKeyRecord, Span, Timestamp,
    TokenId, UsageBatch,
};

/// Why the store did not answer. The texts are for the operator; no caller reads them.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, or not in time. Trying again later may help.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It answered with something that cannot be.
    #[error("the store holds something it cannot hold: {0}")]
    Corrupt(String),
}

/// At most one key signs for an environment.
const ANOTHER_KEY_SIGNS: Refusal = Refusal::State("another key signs for this environment already");

/// Why a commit changed nothing.
#[derive(Clone, Debug, Error)]
pub enum CommitError {
    /// The decision was no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer. Whether the change was made is then unknown, so it may be asked for again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What can be read, inside a commit and outside.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail alike: when the store does not answer, or not with sense"
)]
pub trait Records {
    /// The head of the journal.
    fn epoch(&mut self) -> Result<Epoch, StoreError>;
    /// One partner.
    fn partner(&mut self, partner_id: &PartnerId) -> Result<Option<Partner>, StoreError>;
    /// Partners by id.
    fn partners(&mut self, filter: &PartnerFilter, page: &Page<PartnerId>) -> Result<Vec<Partner>, StoreError>;
    /// Every API of an environment, by id. There are few: registration holds them to a number.
    fn apis(&mut self, environment: Environment) -> Result<Vec<Api>, StoreError>;
    /// One API.
    fn api(&mut self, environment: Environment, api_id: &ApiId) -> Result<Option<Api>, StoreError>;
    /// One client.
    fn client(&mut self, client_id: &ClientId) -> Result<Option<Client>, StoreError>;
    /// Clients by id.
    fn clients(&mut self, filter: &ClientFilter, page: &Page<ClientId>) -> Result<Vec<Client>, StoreError>;
    /// Every secret of a client, the oldest first, the ended ones too.
    fn secrets(&mut self, client_id: &ClientId) -> Result<Vec<ClientSecret>, StoreError>;
    /// What ends near a threshold, works until then, and has no notice of this end and threshold, the soonest first: active clients, or
    /// the active secrets of active clients.
    fn endings(&mut self, near: &NearEnd, page: &Page<EndingKey>) -> Result<Vec<Ending>, StoreError>;
    /// How many of them end within a span, as it stands at a moment.
    fn count_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span)) -> Result<EndingCount, StoreError>;
    /// What ends within a span, and works until then, as it stands at a moment: so many at the most, the soonest first.
    fn soonest_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span, u16)) -> Result<Vec<Ending>, StoreError>;
    /// How many clients there are, by environment and status; none where there are none.
    fn client_counts(&mut self) -> Result<Vec<ClientCount>, StoreError>;
    /// Clients, by id, that have more than one secret which has not ended at `now`.
    fn clients_with_spare_secrets(
        &mut self,
        now: Timestamp,
        page: &Page<ClientId>,
    ) -> Result<Vec<ClientId>, StoreError>;
    /// Notices by id, and so by the time at which they were raised.
    fn notices(&mut self, filter: &NoticeFilter, page: &Page<NoticeId>) -> Result<Vec<KeptNotice>, StoreError>;
    /// Every operator, by id, the revoked ones too.
    fn operators(&mut self) -> Result<Vec<Operator>, StoreError>;
    /// One operator.
    fn operator(&mut self, operator_id: &OperatorId) -> Result<Option<Operator>, StoreError>;
    /// The operator whose token has this digest.
    fn operator_by_token(&mut self, digest: &SecretDigest) -> Result<Option<Operator>, StoreError>;
    /// Every signing key of an environment, the oldest first, the retired ones too.
    fn signing_keys(&mut self, environment: Environment) -> Result<Vec<SigningKeyRecord>, StoreError>;
    /// One signing key.
    fn signing_key(&mut self, kid: &KeyId) -> Result<Option<SigningKeyRecord>, StoreError>;
    /// What is kept of a token its client revoked; `None` when it was not revoked, or has been forgotten since it expired.
    fn revoked_token(&mut self, jti: &TokenId) -> Result<Option<RevokedToken>, StoreError>;
    /// Every token that is kept as revoked, with its `exp`, by id.
    fn revoked_tokens(&mut self, page: &Page<TokenId>) -> Result<Vec<(TokenId, Timestamp)>, StoreError>;
    /// What was created under an idempotency key.
    fn idempotency(
        &mut self,
        operator_id: &OperatorId,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError>;
    /// Usage, summed as `filter` says, the oldest first.
    fn usage(&mut self, filter: &UsageFilter, page: &Page<UsagePlace>) -> Result<Vec<UsageRow>, StoreError>;
    /// Journal rows by epoch.
    fn journal(&mut self, filter: &JournalFilter, page: &Page<Epoch>) -> Result<Vec<JournalEntry>, StoreError>;
    /// How many tokens have been drawn from a meter, those that replicas hold and have not issued among them.
    fn drawn(&mut self, meter: &Meter) -> Result<u64, StoreError>;
    /// The value that tells whether the master key is the one this store was begun with.
    fn master_key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError>;
}

/// What a commit asks once it holds the next epoch: the change to make, or `None` when there is nothing to do after all.
pub type Decide<'a> = dyn FnMut(&mut dyn Records) -> Result<Option<Change>, CommitError> + 'a;

/// What a reader does with the records.
pub type Read<'a> = dyn FnMut(&mut dyn Records) -> Result<(), StoreError> + 'a;

/// Whether other processes write to the same store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// This process owns it: what was committed here is all there is.
    Sole,
    /// Others may write at any time: only the store knows the head.
    Shared,
}

/// How long a meter is kept when its window is over, for replicas whose clocks are behind and for whoever looks back.
const METERS_KEPT: Seconds = Seconds::from_days(2);

/// What a replica asks of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// How many tokens at most.
    pub wanted: u64,
    /// How many may have been drawn in all when these are; `None` where they are only counted.
    pub limit: Option<u64>,
    /// No more than this part of what is left under the limit, but one while there is one.
    pub share: NonZeroU64,
}

impl Draw {
    /// So many, whatever was drawn before.
    #[must_use]
    pub const fn counting(wanted: u64) -> Self {
        Self {
            wanted,
            limit: None,
            share: NonZeroU64::MIN,
        }
    }

    /// At most `wanted`, and at most a `share`-th of what is left under `limit`.
    #[must_use]
    pub const fn sharing(wanted: u64, limit: u64, share: NonZeroU64) -> Self {
        Self {
            wanted,
            limit: Some(limit),
            share,
        }
    }

    /// How many are granted where so many have been drawn.
    fn granted(self, drawn: u64) -> u64 {
        let Some(limit) = self.limit else {
            return self.wanted;
        };
        let room = limit.saturating_sub(drawn);
        self.wanted.min((room / self.share).max(room.min(1)))
    }

    /// How many may have been drawn at most for `granted` to be granted.
    fn most_before(self, granted: u64) -> u64 {
        let Some(limit) = self.limit else {
            return u64::MAX;
        };
        let room = if granted > 1 {
            granted.saturating_mul(self.share.get())
        } else {
            granted
        };
        limit.saturating_sub(room)
    }
}

/// What a replica was given of a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// How many tokens.
    pub granted: u64,
    /// How many have been drawn in all, with these.
    pub total: u64,
}

/// Tokens that were drawn and never issued, on their way back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    /// From where they were drawn.
    pub meter: Meter,
    /// How many.
    pub tokens: u64,
}

/// A store. Every call may block for as long as the store's own timeouts allow.
pub trait Store: Send + Sync {
    /// Whether other processes write to it.
    fn sharing(&self) -> Sharing;

    /// Reads. What one `read` sees is not held still while it reads; decisions belong in a commit.
    ///
    /// # Errors
    /// When the store does not answer.
    fn read(&self, read: &mut Read<'_>) -> Result<(), StoreError>;

    /// Takes the next epoch, asks `decide`, writes the change and its journal row, all or nothing.
    ///
    /// # Errors
    /// When `decide` refuses, or the store does not answer; nothing is changed by a refusal.
    fn commit(&self, attribution: &Attribution, decide: &mut Decide<'_>) -> Result<Option<JournalEntry>, CommitError>;

    /// Opens what the pulse follows the journal with: a connection of its own.
    ///
    /// # Errors
    /// When the store does not answer.
    fn follower(&self) -> Result<Box<dyn Follower>, StoreError>;

    /// Adds what a writer counted, and writes down when and from where secrets were last used, all or nothing. Not a mutation: it is
    /// written beside the journal. A batch that was added before changes nothing; the time of a last use is never moved back.
    ///
    /// # Errors
    /// When the store does not answer; whether the batch was added is then unknown, so it may be sent again.
    fn record_usage(&self, batch: &UsageBatch) -> Result<(), StoreError>;

    /// Forgets usage of hours, days and months that were over at `before`, of some hundred clients at a time, and writers that wrote
    /// nothing since; says how many rows went. Zero: there is no more of it.
    ///
    /// # Errors
    /// When the store does not answer.
    fn forget_usage(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Draws from a meter what `draw` asks, or what is left of it under the limit: not a mutation, and not in the journal. However many
    /// draw at once, the total never passes a limit by a draw under it. Of a draw whose answer is lost nothing must be issued, and
    /// nothing returned.
    ///
    /// # Errors
    /// When the store does not answer.
    fn draw(&self, meter: &Meter, draw: Draw) -> Result<Drawn, StoreError>;

    /// Gives back what was drawn and never issued. Where the answer is lost it must not be given back again.
    ///
    /// # Errors
    /// When the store does not answer; then all of it was taken back, or nothing.
    fn give_back(&self, returns: &[Return]) -> Result<(), StoreError>;

    /// Forgets idempotency keys past their time, revoked tokens that have expired by every replica's clock, which is
    /// [`CLOCK_SKEW`](crate::domain::CLOCK_SKEW) after their end, and meters two days after their window; says how many rows went. Where
    /// much is past, the next calls forget the rest.
    ///
    /// # Errors
    /// When the store does not answer.
    fn forget(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// The board of notices.
    fn board(&self) -> &dyn NoticeBoard;

    /// The book of sessions.
    fn sessions(&self) -> &dyn SessionBook;

    /// Keeps the value that later tells whether the master key is the right one. Does nothing where there is one.
    ///
    /// # Errors
    /// When the store does not answer.
    fn keep_master_key_check(&self, check: &[u8]) -> Result<(), StoreError>;
}

/// How far somebody knows the journal: its last row and that row's hash. The hash tells this journal from another of the same length,
/// such as an older copy of the database that was put in place and has been written to since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The number of the last row known.
    pub epoch: Epoch,
    /// Its hash, which covers every row before it.
    pub hash: ChainHash,
}

impl Known {
    /// Before the first row.
    pub const NOTHING: Self = Self {
        epoch: Epoch::ZERO,
        hash: ChainHash::GENESIS,
    };

    /// The end of the journal as it stands.
    ///
    /// # Errors
    /// When the store does not answer.
    pub fn head(records: &mut dyn Records) -> Result<Self, StoreError> {
        let newest = JournalFilter {
            order: Order::NewestFirst,
            ..JournalFilter::default()
        };
        let last = records.journal(&newest, &Page::first(1))?;
        Ok(last.first().map_or(Self::NOTHING, Self::from))
    }

    /// Whether `entries` are the rows that come next.
    fn lead_to(mut self, entries: &[JournalEntry]) -> Result<(), StoreError> {
        for entry in entries {
            if entry.epoch != self.epoch.next() || entry.previous_hash != self.hash {
                return Err(self.not_there());
            }
            self = entry.into();
        }
        Ok(())
    }

    fn not_there(self) -> StoreError {
        let Self { epoch, .. } = self;
        StoreError::Corrupt(format!(
            "the journal is another one: it does not go on from epoch {epoch} as it is known here"
        ))
    }
}

impl From<&JournalEntry> for Known {
    fn from(entry: &JournalEntry) -> Self {
        Self {
            epoch: entry.epoch,
            hash: entry.hash,
        }
    }
}

/// Follows the journal over a connection of its own.
pub trait Follower: Send {
    /// The journal rows after `known`, at most `limit`, the oldest first; empty when the head has not moved.
    ///
    /// # Errors
    /// When the store does not answer, or its journal is not the one that `known` is from. The follower is then of no more use: open
    /// another.
    fn after(&mut self, known: Known, limit: u16) -> Result<Vec<JournalEntry>, StoreError>;
}
