//! The board of notices: which there are, and how far their sending has come. Written beside the journal, as last uses are:
//! a notice changes nothing of what it is about.

use super::StoreError;
use crate::domain::{
    ClientId, Delivery, DeliveryState, Environment, KeptNotice, NoticeId, NoticeKind, PartnerId, Span, Threshold,
    Timestamp,
};

use super::Order;

/// The board, to be written on. Every call may block for as long as the store's own timeouts allow.
pub trait NoticeBoard {
    /// Keeps each of `notices` that is the first of its id, and of its subject, end and threshold, whoever else keeps some at the same
    /// time; gives back those that were kept. One that was kept before is left as it was.
    ///
    /// # Errors
    /// When the store does not answer; none is kept then.
    fn raise(&self, notices: Vec<KeptNotice>) -> Result<Vec<KeptNotice>, StoreError>;

    /// Takes the notice that has been due for the longest time at `now`, and counts an attempt. Until `lost_at` nobody else gets it.
    ///
    /// # Errors
    /// When the store does not answer; one may have been taken then, and is due again at `lost_at`.
    fn take_due(&self, now: Timestamp, lost_at: Timestamp) -> Result<Option<KeptNotice>, StoreError>;

    /// Writes down how the attempt of this number ended; says whether it was still the last one that was begun.
    ///
    /// # Errors
    /// When the store does not answer.
    fn settle(&self, notice_id: &NoticeId, delivery: Delivery) -> Result<bool, StoreError>;

    /// Forgets notices of what ended at `ended` or before; says how many.
    ///
    /// # Errors
    /// When the store does not answer.
    fn forget_notices(&self, ended: Timestamp) -> Result<u64, StoreError>;
}

/// What ends near a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearEnd {
    /// Secrets or clients.
    pub kind: NoticeKind,
    /// The nearest threshold that was passed.
    pub threshold: Threshold,
    /// Within which span, of those it is nearest to, the end lies.
    pub span: Span,
    /// The moment at which that holds.
    pub now: Timestamp,
}

/// By which endings are paged, as [`Ending::key`](crate::domain::Ending::key) gives it.
pub type EndingKey = (Timestamp, String);

/// How many things of one kind end within a span, by environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndingCount {
    /// In QA.
    pub qa: u64,
    /// In Production.
    pub production: u64,
}

impl EndingCount {
    /// How many in `environment`.
    #[must_use]
    pub const fn of(&self, environment: Environment) -> u64 {
        match environment {
            Environment::Qa => self.qa,
            Environment::Production => self.production,
        }
    }

    /// So many more in `environment`.
    #[must_use]
    pub const fn with(mut self, environment: Environment, more: u64) -> Self {
        match environment {
            Environment::Qa => self.qa += more,
            Environment::Production => self.production += more,
        }
        self
    }
}

/// Which notices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NoticeFilter {
    /// That say this.
    pub kind: Option<NoticeKind>,
    /// In this environment.
    pub environment: Option<Environment>,
    /// Of this partner.
    pub partner_id: Option<PartnerId>,
    /// Of this client and its secrets.
    pub client_id: Option<ClientId>,
    /// Whose sending has come so far.
    pub delivery: Option<DeliveryState>,
    /// From which end.
    pub order: Order,
}

impl NoticeFilter {
    pub(super) fn admits(&self, kept: &KeptNotice) -> bool {
        let notice = &kept.notice;
        self.kind.is_none_or(|kind| notice.subject.kind() == kind)
            && self
                .environment
                .is_none_or(|environment| notice.environment == environment)
            && self
                .partner_id
                .as_ref()
                .is_none_or(|partner_id| notice.partner_id.as_ref() == Some(partner_id))
            && self
                .client_id
                .as_ref()
                .is_none_or(|client_id| notice.client_id == *client_id)
            && self.delivery.is_none_or(|state| kept.delivery.state() == state)
    }
}
