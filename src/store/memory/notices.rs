//! The board of notices, in memory.

use super::{MemoryStore, Shelves};
use crate::domain::{
    Client, ClientStatus, Delivery, Ending, KeptNotice, Notice, NoticeId, NoticeKind, NoticeSubject, SecretStatus,
    Span, Timestamp,
};
use crate::store::{EndingCount, EndingKey, NearEnd, NoticeBoard, NoticeFilter, Order, Page, StoreError};

impl NoticeBoard for MemoryStore {
    fn raise(&self, notices: Vec<KeptNotice>) -> Result<Vec<KeptNotice>, StoreError> {
        let mut shelves = self.shelves();
        let mut raised = Vec::new();
        for kept in notices {
            let id_is_new = !shelves.notices.contains_key(&kept.notice.notice_id);
            if id_is_new && !shelves.notices.values().any(|other| alike(&other.notice, &kept.notice)) {
                shelves.notices.insert(kept.notice.notice_id.clone(), kept.clone());
                raised.push(kept);
            }
        }
        Ok(raised)
    }

    fn take_due(&self, now: Timestamp, lost_at: Timestamp) -> Result<Option<KeptNotice>, StoreError> {
        let mut shelves = self.shelves();
        let due = shelves.notices.values_mut().filter_map(|kept| match kept.delivery {
            Delivery::Waiting {
                attempts,
                next_attempt_at,
            } if next_attempt_at <= now => Some((next_attempt_at, attempts, kept)),
            _ => None,
        });
        let longest = due.min_by_key(|(next_attempt_at, _, _)| *next_attempt_at);
        Ok(longest.map(|(_, attempts, kept)| {
            kept.delivery = Delivery::Waiting {
                attempts: attempts + 1,
                next_attempt_at: lost_at,
            };
            kept.clone()
        }))
    }

    fn settle(&self, notice_id: &NoticeId, delivery: Delivery) -> Result<bool, StoreError> {
        let mut shelves = self.shelves();
        let last_begun = |kept: &KeptNotice| match (kept.delivery, delivery) {
            (
                Delivery::Waiting { attempts: begun, .. },
                Delivery::Waiting { attempts, .. }
                | Delivery::Delivered { attempts, .. }
                | Delivery::GivenUp { attempts, .. },
            ) => begun == attempts,
            _ => false,
        };
        let Some(kept) = shelves.notices.get_mut(notice_id).filter(|kept| last_begun(kept)) else {
            return Ok(false);
        };
        kept.delivery = delivery;
        Ok(true)
    }

    fn forget_notices(&self, ended: Timestamp) -> Result<u64, StoreError> {
        let mut shelves = self.shelves();
        let before = shelves.notices.len();
        shelves.notices.retain(|_, kept| kept.notice.expires_at > ended);
        Ok((before - shelves.notices.len()) as u64)
    }
}

/// Whether two notices are about the same subject, end and threshold.
fn alike(one: &Notice, other: &Notice) -> bool {
    let (one_ending, other_ending) = (one.ending(), other.ending());
    one.subject.kind() == other.subject.kind()
        && one_ending.subject_id() == other_ending.subject_id()
        && one.expires_at == other.expires_at
        && one.threshold == other.threshold
}

impl Shelves {
    pub(super) fn listed_notices(&self, filter: &NoticeFilter, page: &Page<NoticeId>) -> Vec<KeptNotice> {
        let admitted = |kept: &&KeptNotice| {
            let notice_id = &kept.notice.notice_id;
            let beyond = page.after.as_ref().is_none_or(|after| match filter.order {
                Order::OldestFirst => notice_id > after,
                Order::NewestFirst => notice_id < after,
            });
            beyond && filter.admits(kept)
        };
        let limit = usize::from(page.limit);
        let notices = self.notices.values();
        match filter.order {
            Order::OldestFirst => notices.filter(admitted).take(limit).cloned().collect(),
            Order::NewestFirst => notices.rev().filter(admitted).take(limit).cloned().collect(),
        }
    }

    pub(super) fn near_endings(&self, near: &NearEnd, page: &Page<EndingKey>) -> Vec<Ending> {
        let noticed = |ending: &Ending| {
            self.notices.values().any(|KeptNotice { notice, .. }| {
                let other = notice.ending();
                other.subject == ending.subject
                    && other.client_id == ending.client_id
                    && other.expires_at == ending.expires_at
                    && notice.threshold == near.threshold
            })
        };
        let mut near_endings: Vec<Ending> = self
            .live_endings(near.kind, near.now)
            .filter(|ending| near.span.holds(ending.expires_at) && !noticed(ending))
            .filter(|ending| page.after.as_ref().is_none_or(|after| ending.key() > *after))
            .collect();
        near_endings.sort_by_key(Ending::key);
        near_endings.truncate(page.limit.into());
        near_endings
    }

    pub(super) fn count_near_endings(&self, kind: NoticeKind, (now, span): (Timestamp, Span)) -> EndingCount {
        self.live_endings(kind, now)
            .filter(|ending| span.holds(ending.expires_at))
            .fold(EndingCount::default(), |counts, ending| {
                counts.with(ending.environment, 1)
            })
    }

    /// What has an end and works until then: active clients, and the active secrets of those that have not ended.
    pub(super) fn live_endings(&self, kind: NoticeKind, now: Timestamp) -> Box<dyn Iterator<Item = Ending> + '_> {
        let ending = |client: &Client, subject, expires_at| Ending {
            subject,
            client_id: client.client_id.clone(),
            partner_id: client.partner_id().cloned(),
            environment: client.environment,
            expires_at,
        };
        match kind {
            NoticeKind::ClientExpiring => Box::new(self.clients.values().filter_map(move |client| {
                let expires_at = client.expires_at.filter(|_| client.status == ClientStatus::Active)?;
                Some(ending(client, NoticeSubject::Client, expires_at))
            })),
            NoticeKind::SecretExpiring => Box::new(self.secrets.iter().filter_map(move |secret| {
                let expires_at = secret.expires_at.filter(|_| secret.status == SecretStatus::Active)?;
                let client = self
                    .clients
                    .get(&secret.client_id)
                    .filter(|client| client.is_live(now))?;
                let secret_id = secret.secret_id.clone();
                Some(ending(client, NoticeSubject::Secret { secret_id }, expires_at))
            })),
        }
    }
}
