//! `GET /metrics` on the admin listener: Prometheus text, with the gauges brought up to date when somebody looks. What takes a
//! count of rows is counted once a minute at the most, however often that is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use crate::ambient::Clock;
use crate::domain::{Environment, KeyState, NoticeKind, Seconds, Threshold, Timestamp};
use crate::registry::{KeyAge, Registry};
use crate::store::{EndingCount, Records, StoreError};
use crate::telemetry::{self, ExpiresWithin, Metrics};

/// For how long the count of what ends soon is shown again.
const COUNT_KEPT: Seconds = Seconds(60);

/// What a scrape needs.
pub struct Scrape {
    counted_at: Mutex<Option<Timestamp>>,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

impl Scrape {
    /// Shows `metrics`, and what `registry` knows at the time of `clock`.
    #[must_use]
    pub const fn new(registry: Arc<Registry>, metrics: Arc<Metrics>, clock: Arc<dyn Clock>) -> Self {
        Self {
            counted_at: Mutex::new(None),
            registry,
            metrics,
            clock,
        }
    }

    /// Brings the gauges up to date. What the store does not tell now keeps its last value: a scrape is not a health check.
    async fn refresh(&self) {
        let now = self.clock.now();
        self.metrics.set_journal_epoch(self.registry.epoch().get());
        self.metrics.set_revoked_tokens(self.registry.revoked_tokens());
        if let Ok(view) = self.registry.fresh().await {
            for environment in Environment::ALL {
                if let Ok(keyring) = view.keyring(environment).await {
                    self.show_ages(environment, keyring.ages(), now);
                }
            }
        }
        if self.begin_to_count(now) {
            // One visit to the store for all of them: where it does not answer, a scrape waits once.
            match self.registry.read(move |records| count_endings(records, now)).await {
                Ok(counts) => self.show_endings(&counts),
                Err(_) => *self.counted_at() = None,
            }
        }
    }

    /// Whether what ends soon is to be counted now. Others who ask meanwhile do not count beside.
    fn begin_to_count(&self, now: Timestamp) -> bool {
        let mut counted_at = self.counted_at();
        // A clock that was set back is no reason to show the same for longer.
        let is_due = counted_at.is_none_or(|at| now < at || now >= at + COUNT_KEPT);
        if is_due {
            *counted_at = Some(now);
        }
        is_due
    }

    fn counted_at(&self) -> MutexGuard<'_, Option<Timestamp>> {
        self.counted_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each gauge includes the shorter spans; what was counted lies side by side, the shortest first.
    fn show_endings(&self, counts: &[(NoticeKind, Vec<EndingCount>)]) {
        for (kind, beside) in counts {
            for environment in Environment::ALL {
                let mut within = 0;
                for (threshold, count) in Threshold::ALL.into_iter().zip(beside) {
                    within += count.of(environment);
                    let shown = i64::try_from(within).unwrap_or(i64::MAX);
                    let label = (environment, ExpiresWithin::from(threshold));
                    self.metrics.noticed().set_expiring(*kind, label, shown);
                }
            }
        }
    }

    fn show_ages(&self, environment: Environment, ages: &[KeyAge], now: Timestamp) {
        for (label, state) in [
            (telemetry::KeyState::Announced, KeyState::Announced),
            (telemetry::KeyState::Active, KeyState::Active),
            (telemetry::KeyState::Retiring, KeyState::Retiring),
        ] {
            let oldest = ages
                .iter()
                .filter(|age| age.state == state)
                .map(|age| now.since(age.since))
                .max();
            self.metrics.set_key_age(environment, label, oldest);
        }
    }
}

/// How much ends in the span of each threshold, by kind.
fn count_endings(records: &mut dyn Records, now: Timestamp) -> Result<Vec<(NoticeKind, Vec<EndingCount>)>, StoreError> {
    let count = |kind, records: &mut dyn Records| {
        let spans = Threshold::ALL.into_iter().map(|threshold| threshold.span(now));
        let counts: Result<_, _> = spans.map(|span| records.count_endings(kind, (now, span))).collect();
        counts.map(|counts| (kind, counts))
    };
    NoticeKind::ALL.into_iter().map(|kind| count(kind, records)).collect()
}

pub(super) async fn metrics(scrape: Data<Scrape>) -> HttpResponse {
    scrape.refresh().await;
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(scrape.metrics.render())
}
