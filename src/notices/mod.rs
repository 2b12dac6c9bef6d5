//! What operators are told before it happens: noticing what ends soon, once for the whole installation, and sending each notice to
//! the webhook until it arrives or there is no more use in it.
//!
//! Any replica may notice and any may send. The board in the store decides who did: a notice is unique by its subject, end and
//! threshold, and an attempt belongs to whoever counted it. Noticing changes nothing, so none of this stands in the journal.

mod webhook;

use std::sync::{Arc, Mutex, PoisonError};

use crate::ambient::{Clock, Entropy};
use crate::domain::{
    Delivery, Ending, Epoch, FailedAttempt, KeptNotice, Milliseconds, Notice, NoticeKind, PartnerId, Seconds, SecretId,
    Span, Threshold, Timestamp,
};
use crate::registry::Registry;
use crate::store::{NearEnd, Page, Records, StoreError};
use crate::telemetry::{Metrics, WebhookOutcome};
use webhook::Answer;
pub use webhook::{Webhook, WebhookError, WebhookParts};

/// How many endings are looked at in one visit to the store.
const PAGE: u16 = 200;
/// How many full pages are looked at in one turn. Where more ends at once, as after a migration, the rest has its turn next.
const PAGES_A_TURN: usize = 10;
/// How many notices of one turn have lines of their own in the log.
const LINES_A_TURN: usize = 20;

/// What a board of notices is made with.
pub struct NoticeParts {
    /// The way to the store.
    pub registry: Arc<Registry>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from, and what spreads attempts.
    pub entropy: Arc<dyn Entropy>,
    /// Where attempts are counted.
    pub metrics: Arc<Metrics>,
    /// For how long a notice is kept after its subject has ended.
    pub retention: Seconds,
    /// Where notices are sent, if anywhere.
    pub webhook: Option<Webhook>,
}

/// Raises and sends notices, when it is told to.
pub struct Notices {
    parts: NoticeParts,
    looked: Mutex<Option<Look>>,
}

/// A look at all that ends soon, after which no notice of it was missing.
#[derive(Clone, Copy)]
struct Look {
    at: Timestamp,
    /// The head of the journal before it. As long as it is the same, only time brings ends nearer.
    epoch: Epoch,
}

impl Look {
    /// What of the ends near `threshold` this look has not seen, at a later `now`.
    fn left(self, threshold: Threshold, now: Timestamp) -> Span {
        let (seen, near) = (threshold.span(self.at), threshold.span(now));
        Span {
            after: near.after.max(seen.until),
            ..near
        }
    }
}

impl Notices {
    /// Nothing happens yet.
    #[must_use]
    pub const fn new(parts: NoticeParts) -> Self {
        Self {
            parts,
            looked: Mutex::new(None),
        }
    }

    /// Raises the notices that are due and that nobody has raised, those of the nearest thresholds first and no more than a turn takes;
    /// says how many. The first have lines of their own in the log, the others are told in number. Where nothing was changed since all
    /// was looked at, only what has come near since is looked at.
    ///
    /// # Errors
    /// When the store does not answer in time. What was not raised then is raised the next time.
    pub async fn raise(&self) -> Result<usize, StoreError> {
        let now = self.parts.clock.now_milliseconds();
        let mut progress = Progress::default();
        let outcome = self.raise_all(now, &mut progress).await;
        progress.tell_the_rest();
        outcome.map(|()| progress.raised)
    }

    async fn raise_all(&self, now: Milliseconds, progress: &mut Progress) -> Result<(), StoreError> {
        let epoch = self.parts.registry.read(|records| records.epoch()).await?;
        let at = now.second();
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let looked = looked.filter(|look| look.epoch == epoch && look.at <= at);
        for threshold in Threshold::ALL {
            let span = looked.map_or_else(|| threshold.span(at), |look| look.left(threshold, at));
            // In pieces, so that no question is about all there is.
            for (span, kind) in span.by_day().flat_map(|day| NoticeKind::ALL.map(|kind| (day, kind))) {
                let near = NearEnd {
                    kind,
                    threshold,
                    span,
                    now: at,
                };
                self.raise_near(near, now, progress).await?;
            }
        }
        if progress.full_pages < PAGES_A_TURN {
            *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Look { at, epoch });
        }
        Ok(())
    }

    async fn raise_near(&self, near: NearEnd, now: Milliseconds, progress: &mut Progress) -> Result<(), StoreError> {
        let mut page = Page::first(PAGE);
        while progress.full_pages < PAGES_A_TURN {
            let asked = page.clone();
            let read = move |records: &mut dyn Records| records.endings(&near, &asked);
            let endings = self.parts.registry.read(read).await?;
            page.after = endings.last().map(Ending::key);
            let is_last = endings.len() < usize::from(PAGE);
            let notices: Vec<KeptNotice> = endings
                .into_iter()
                .map(|ending| KeptNotice {
                    notice: Notice::raise(ending, near.threshold, (now, &*self.parts.entropy)),
                    delivery: self.first_delivery(near.now),
                })
                .collect();
            if !notices.is_empty() {
                progress.tell(&self.parts.registry.raise_notices(notices).await?);
            }
            if is_last {
                return Ok(());
            }
            progress.full_pages += 1;
        }
        Ok(())
    }

    const fn first_delivery(&self, now: Timestamp) -> Delivery {
        match self.parts.webhook {
            Some(_) => Delivery::Waiting {
                attempts: 0,
                next_attempt_at: now,
            },
            None => Delivery::None,
        }
    }

    /// Sends the notices that are due, one after the other, until none is or one does not arrive: a receiver that has just failed is
    /// left alone until the next turn.
    ///
    /// # Errors
    /// When the store does not answer in time. A notice whose attempt could not be written down is sent again.
    pub async fn deliver(&self) -> Result<(), StoreError> {
        let Some(webhook) = &self.parts.webhook else {
            return Ok(());
        };
        loop {
            let now = self.parts.clock.now();
            let lost_at = now + webhook.lease();
            let Some(taken) = self.parts.registry.take_due_notice(now, lost_at).await? else {
                return Ok(());
            };
            let answer = webhook.send(&taken.notice, now).await;
            if self.settle(taken, &answer).await? != WebhookOutcome::Delivered {
                return Ok(());
            }
        }
    }

    async fn settle(&self, taken: KeptNotice, answer: &Answer) -> Result<WebhookOutcome, StoreError> {
        let Delivery::Waiting { attempts, .. } = taken.delivery else {
            return Err(StoreError::Corrupt(
                "a notice was taken that waits for nothing".to_owned(),
            ));
        };
        let now = self.parts.clock.now();
        let delivery = match answer {
            Answer::Accepted => Delivery::Delivered {
                attempts,
                settled_at: now,
            },
            Answer::Refused { .. } | Answer::Missing { .. } => FailedAttempt {
                raised_at: taken.notice.raised_at,
                attempts,
                at: now,
                retry_after: answer.retry_after(now),
                chance: self.chance(),
            }
            .outcome(),
        };
        let outcome = match delivery {
            Delivery::Delivered { .. } => WebhookOutcome::Delivered,
            Delivery::GivenUp { .. } => WebhookOutcome::GivenUp,
            Delivery::None | Delivery::Waiting { .. } => WebhookOutcome::Failed,
        };
        self.parts.metrics.noticed().count_webhook(outcome);
        tell_outcome(&taken.notice, (outcome, attempts), answer);
        self.parts
            .registry
            .settle_notice(taken.notice.notice_id, delivery)
            .await?;
        Ok(outcome)
    }

    fn chance(&self) -> u32 {
        let mut bytes = [0; 4];
        self.parts.entropy.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    /// Forgets notices whose subjects ended longer ago than they are kept; says how many.
    ///
    /// # Errors
    /// When the store does not answer in time.
    pub async fn forget(&self) -> Result<u64, StoreError> {
        let ended = self.parts.clock.now() - self.parts.retention;
        self.parts.registry.forget_notices(ended).await
    }
}

/// What one turn has come to.
#[derive(Default)]
struct Progress {
    full_pages: usize,
    raised: usize,
}

impl Progress {
    fn tell(&mut self, kept: &[KeptNotice]) {
        let lines_left = LINES_A_TURN.saturating_sub(self.raised);
        kept.iter().take(lines_left).for_each(|kept| tell(&kept.notice));
        self.raised += kept.len();
    }

    fn tell_the_rest(&self) {
        let count = self.raised.saturating_sub(LINES_A_TURN);
        if count > 0 {
            log::warn!(count; "more expires soon than has lines of its own: see the list of notices");
        }
    }
}

/// One line for each notice, with the fields that its webhook has.
fn tell(notice: &Notice) {
    let subject = match notice.subject.kind() {
        NoticeKind::SecretExpiring => "a client secret expires soon",
        NoticeKind::ClientExpiring => "a client expires soon",
    };
    let (notice_id, kind) = (notice.notice_id.as_str(), notice.subject.kind().as_str());
    let (environment, days) = (notice.environment.as_str(), notice.threshold.days());
    let partner_id = notice.partner_id.as_ref().map(PartnerId::as_str);
    let secret_id = notice.subject.secret_id().map(SecretId::as_str);
    let (client_id, expires_at) = (notice.client_id.as_str(), notice.expires_at);
    log::warn!(notice_id, kind, environment, partner_id, client_id, secret_id, days, expires_at:%; "{subject}");
}

/// How an attempt ended. Of the answer no more than its status: what a receiver writes is its own.
fn tell_outcome(notice: &Notice, (outcome, attempts): (WebhookOutcome, u32), answer: &Answer) {
    let notice_id = notice.notice_id.as_str();
    match outcome {
        WebhookOutcome::Delivered => log::debug!(notice_id, attempts; "a notice was delivered"),
        WebhookOutcome::Failed => {
            log::warn!(notice_id, attempts, reason:% = answer; "a notice was not delivered and is tried again later");
        }
        WebhookOutcome::GivenUp => {
            log::error!(notice_id, attempts, reason:% = answer; "a notice was not delivered and is given up");
        }
    }
}
