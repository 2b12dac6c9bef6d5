//! The way to the board of notices. Nothing of it is remembered: what another replica wrote a moment ago counts.

use super::Registry;
use crate::domain::{Delivery, KeptNotice, NoticeId, Timestamp};
use crate::store::{Asker, StoreError};

impl Registry {
    /// Keeps those notices that are the first of their kind, and gives them back.
    ///
    /// # Errors
    /// When the store does not answer in time; whether any was kept is then unknown.
    pub async fn raise_notices(&self, notices: Vec<KeptNotice>) -> Result<Vec<KeptNotice>, StoreError> {
        self.door
            .call(Asker::House, move |store| store.board().raise(notices))
            .await?
    }

    /// Takes the notice that has been due for the longest time; nobody else gets it before `lost_at`.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn take_due_notice(&self, now: Timestamp, lost_at: Timestamp) -> Result<Option<KeptNotice>, StoreError> {
        self.door
            .call(Asker::House, move |store| store.board().take_due(now, lost_at))
            .await?
    }

    /// Writes down how an attempt to send a notice ended; says whether it was still the last one that was begun.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn settle_notice(&self, notice_id: NoticeId, delivery: Delivery) -> Result<bool, StoreError> {
        self.door
            .call(Asker::House, move |store| store.board().settle(&notice_id, delivery))
            .await?
    }

    /// Forgets notices of what ended at `ended` or before; says how many.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn forget_notices(&self, ended: Timestamp) -> Result<u64, StoreError> {
        self.door
            .call(Asker::House, move |store| store.board().forget_notices(ended))
            .await?
    }
}
