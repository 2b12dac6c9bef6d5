//! The way to the book of sessions. Nothing of it is remembered: a session that ended on another replica a moment ago has ended.

use super::Registry;
use crate::domain::{OperatorId, SecretDigest, Session, Timestamp};
use crate::store::{Asker, SessionBook, StoreError};

#[expect(
    clippy::missing_errors_doc,
    reason = "all fail alike: when the store does not answer in time"
)]
impl Registry {
    /// Begins a session.
    pub async fn begin_session(&self, session: Session) -> Result<(), StoreError> {
        self.book(move |book| book.begin_session(&session)).await
    }

    /// The session whose secret has this digest, whether it still lasts or not.
    pub async fn session(&self, digest: SecretDigest) -> Result<Option<Session>, StoreError> {
        self.book(move |book| book.session(&digest)).await
    }

    /// Writes down that a session is used at `now`.
    pub async fn use_session(&self, digest: SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        self.book(move |book| book.use_session(&digest, now)).await
    }

    /// Ends a session, if there is one.
    pub async fn end_session(&self, digest: SecretDigest) -> Result<(), StoreError> {
        self.book(move |book| book.end_session(&digest)).await
    }

    /// Ends every session of an operator; says how many.
    pub async fn end_sessions(&self, operator_id: OperatorId) -> Result<u64, StoreError> {
        self.book(move |book| book.end_sessions(&operator_id)).await
    }

    /// Forgets sessions that began at `began` or before; says how many.
    pub async fn forget_sessions(&self, began: Timestamp) -> Result<u64, StoreError> {
        self.book(move |book| book.forget_sessions(began)).await
    }

    async fn book<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn SessionBook) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.door
            .call(Asker::House, move |store| call(store.sessions()))
            .await?
    }
}
