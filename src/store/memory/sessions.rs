//! The book of sessions, in memory.

use super::MemoryStore;
use crate::domain::{OperatorId, SecretDigest, Session, Timestamp};
use crate::store::{MOST_SESSIONS, SessionBook, StoreError};

impl SessionBook for MemoryStore {
    fn begin_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut shelves = self.shelves();
        let sessions = &mut shelves.sessions;
        let own = |other: &Session| other.operator_id == session.operator_id;
        // The list is in the order in which they began, as far as they are of one operator.
        let too_many = (sessions.iter().filter(|other| own(other)).count() + 1).saturating_sub(MOST_SESSIONS.into());
        let mut left = too_many;
        sessions.retain(|other| {
            let ends = left > 0 && own(other);
            left -= usize::from(ends);
            !ends
        });
        sessions.push(session.clone());
        Ok(())
    }

    fn session(&self, digest: &SecretDigest) -> Result<Option<Session>, StoreError> {
        let shelves = self.shelves();
        Ok(shelves
            .sessions
            .iter()
            .find(|session| session.digest.matches(digest))
            .cloned())
    }

    fn use_session(&self, digest: &SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        let mut shelves = self.shelves();
        for session in shelves
            .sessions
            .iter_mut()
            .filter(|session| session.digest.matches(digest))
        {
            session.used_at = session.used_at.max(now);
        }
        Ok(())
    }

    fn end_session(&self, digest: &SecretDigest) -> Result<(), StoreError> {
        self.shelves()
            .sessions
            .retain(|session| !session.digest.matches(digest));
        Ok(())
    }

    fn end_sessions(&self, operator_id: &OperatorId) -> Result<u64, StoreError> {
        Ok(self.end_those(|session| session.operator_id == *operator_id))
    }

    fn forget_sessions(&self, began: Timestamp) -> Result<u64, StoreError> {
        Ok(self.end_those(|session| session.began_at <= began))
    }
}

impl MemoryStore {
    fn end_those(&self, ends: impl Fn(&Session) -> bool) -> u64 {
        let mut shelves = self.shelves();
        let before = shelves.sessions.len();
        shelves.sessions.retain(|session| !ends(session));
        (before - shelves.sessions.len()) as u64
    }
}
