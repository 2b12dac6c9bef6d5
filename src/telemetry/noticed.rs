//! What ends soon, and what became of the notices of it, in numbers.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

use super::metrics::{label, registered};
use crate::domain::{Environment, NoticeKind, Threshold};

label! {
    /// How an attempt to send a notice to the webhook ended.
    WebhookOutcome {
        /// The receiver has it.
        Delivered => "delivered",
        /// It is tried again later.
        Failed => "failed",
        /// It is not tried again.
        GivenUp => "given_up",
    }
}

label! {
    /// How soon something expires. Each span includes the shorter ones.
    ExpiresWithin {
        /// A day.
        OneDay => "1d",
        /// A week.
        SevenDays => "7d",
        /// Two weeks.
        FourteenDays => "14d",
        /// A month.
        ThirtyDays => "30d",
    }
}

impl From<Threshold> for ExpiresWithin {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::OneDay => Self::OneDay,
            Threshold::SevenDays => Self::SevenDays,
            Threshold::FourteenDays => Self::FourteenDays,
            Threshold::ThirtyDays => Self::ThirtyDays,
        }
    }
}

/// Gauges of what expires, by environment and span.
type Expiring = [[IntGauge; ExpiresWithin::ALL.len()]; Environment::ALL.len()];

/// What ends soon, and the attempts to send notices of it.
#[derive(Debug)]
pub struct Noticed {
    secrets: Expiring,
    clients: Expiring,
    webhook: [IntCounter; WebhookOutcome::ALL.len()],
}

impl Noticed {
    pub(super) fn register(registry: &Registry) -> Self {
        Self {
            secrets: expiring(registry, NoticeKind::SecretExpiring),
            clients: expiring(registry, NoticeKind::ClientExpiring),
            webhook: webhook(registry),
        }
    }

    /// Sets how many live things of a kind expire within the span.
    pub fn set_expiring(&self, kind: NoticeKind, (environment, within): (Environment, ExpiresWithin), count: i64) {
        let gauges = match kind {
            NoticeKind::SecretExpiring => &self.secrets,
            NoticeKind::ClientExpiring => &self.clients,
        };
        gauges[environment as usize][within as usize].set(count);
    }

    /// Counts an attempt to send a notice.
    pub fn count_webhook(&self, outcome: WebhookOutcome) {
        self.webhook[outcome as usize].inc();
    }
}

fn expiring(registry: &Registry, kind: NoticeKind) -> Expiring {
    let (name, help) = match kind {
        NoticeKind::SecretExpiring => (
            "mintmark_secrets_expiring",
            "Live client secrets that expire within a span",
        ),
        NoticeKind::ClientExpiring => ("mintmark_clients_expiring", "Live clients that expire within a span"),
    };
    let family = registered(
        registry,
        IntGaugeVec::new(Opts::new(name, help), &["environment", "within"]),
    );
    Environment::ALL.map(|environment| {
        ExpiresWithin::ALL.map(|within| family.with_label_values(&[environment.as_str(), within.as_str()]))
    })
}

fn webhook(registry: &Registry) -> [IntCounter; WebhookOutcome::ALL.len()] {
    let options = Opts::new(
        "mintmark_webhook_deliveries_total",
        "Attempts to send a notice to the webhook by how they ended",
    );
    let family = registered(registry, IntCounterVec::new(options, &["outcome"]));
    WebhookOutcome::ALL.map(|outcome| family.with_label_values(&[outcome.as_str()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn what_expires_and_what_was_sent_of_it_is_rendered() {
        let metrics = Metrics::new();
        let (secret, client) = (NoticeKind::SecretExpiring, NoticeKind::ClientExpiring);
        metrics
            .noticed()
            .set_expiring(secret, (Environment::Qa, ExpiresWithin::SevenDays), 3);
        metrics
            .noticed()
            .set_expiring(client, (Environment::Production, ExpiresWithin::ThirtyDays), 5);
        metrics.noticed().count_webhook(WebhookOutcome::GivenUp);
        let rendered = metrics.render();
        let expected = [
            ("mintmark_secrets_expiring{environment=\"qa\",within=\"7d\"}", "3"),
            ("mintmark_secrets_expiring{environment=\"qa\",within=\"1d\"}", "0"),
            (
                "mintmark_secrets_expiring{environment=\"production\",within=\"7d\"}",
                "0",
            ),
            (
                "mintmark_clients_expiring{environment=\"production\",within=\"30d\"}",
                "5",
            ),
            ("mintmark_webhook_deliveries_total{outcome=\"given_up\"}", "1"),
            ("mintmark_webhook_deliveries_total{outcome=\"delivered\"}", "0"),
        ];
        for (series, number) in expected {
            let line = format!("{series} {number}");
            assert!(
                rendered.lines().any(|written| written == line),
                "{series} in\n{rendered}"
            );
        }
    }

    #[test]
    fn the_labels_of_the_spans_are_their_thresholds() {
        for threshold in Threshold::ALL {
            let label = ExpiresWithin::from(threshold).as_str();
            assert_eq!(label, format!("{}d", threshold.days()));
        }
    }
}
