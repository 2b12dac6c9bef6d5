//! The book of sessions, written beside the journal: to sign in and out changes nothing of what is administered.

use super::StoreError;
use crate::domain::{OperatorId, SecretDigest, Session, Timestamp};

/// The most sessions of one operator. With one more the oldest ends.
pub const MOST_SESSIONS: u16 = 20;

/// The book of sessions. Every call may block for as long as the store's own timeouts allow.
#[expect(
    clippy::missing_errors_doc,
    reason = "all fail alike: when the store does not answer, or not with sense"
)]
pub trait SessionBook {
    /// Begins a session. Where the operator has [`MOST_SESSIONS`], those that began first end.
    fn begin_session(&self, session: &Session) -> Result<(), StoreError>;
    /// The session whose secret has this digest, whether it still lasts or not.
    fn session(&self, digest: &SecretDigest) -> Result<Option<Session>, StoreError>;
    /// Writes down that a session is used at `now`; of several moments the last stays.
    fn use_session(&self, digest: &SecretDigest, now: Timestamp) -> Result<(), StoreError>;
    /// Ends a session, if there is one.
    fn end_session(&self, digest: &SecretDigest) -> Result<(), StoreError>;
    /// Ends every session of an operator; says how many.
    fn end_sessions(&self, operator_id: &OperatorId) -> Result<u64, StoreError>;
    /// Forgets sessions that began at `began` or before; says how many.
    fn forget_sessions(&self, began: Timestamp) -> Result<u64, StoreError>;
}
