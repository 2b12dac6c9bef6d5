//! What is counted of quotas.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use super::registered;
use crate::domain::{Environment, Limit};

label! {
    /// What came of drawing tokens of a quota from the store.
    DrawResult {
        /// Tokens.
        Granted => "granted",
        /// There were none left.
        Nothing => "nothing",
        /// The store did not answer.
        Failed => "failed",
    }
}

/// The series of quotas.
#[derive(Debug)]
pub(super) struct QuotaSeries {
    beyond: [[IntCounter; Limit::QUOTAS.len()]; Environment::ALL.len()],
    draws: [IntCounter; DrawResult::ALL.len()],
}

impl QuotaSeries {
    pub(super) fn new(registry: &Registry) -> Self {
        let help = "Tokens drawn beyond a quota that is only observed";
        let options = Opts::new("mintmark_quota_beyond_total", help);
        let beyond = registered(registry, IntCounterVec::new(options, &["environment", "quota"]));
        let options = Opts::new(
            "mintmark_quota_draws_total",
            "Draws of tokens of a quota from the store",
        );
        let draws = registered(registry, IntCounterVec::new(options, &["result"]));
        Self {
            beyond: Environment::ALL.map(|environment| {
                Limit::QUOTAS.map(|quota| beyond.with_label_values(&[environment.as_str(), quota.as_str()]))
            }),
            draws: DrawResult::ALL.map(|result| draws.with_label_values(&[result.as_str()])),
        }
    }

    /// Of a limit that is no quota nothing is drawn, and nothing counted.
    pub(super) fn count_beyond(&self, environment: Environment, quota: Limit, tokens: u64) {
        if let Some(place) = Limit::QUOTAS.iter().position(|known| *known == quota) {
            self.beyond[environment as usize][place].inc_by(tokens);
        }
    }

    pub(super) fn count_draw(&self, result: DrawResult) {
        self.draws[result as usize].inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn what_is_counted_of_quotas_is_rendered_and_no_caller_adds_a_series() {
        let metrics = Metrics::new();
        let of_quotas = |metrics: &Metrics| -> Vec<String> {
            let rendered = metrics.render();
            let lines = rendered.lines().filter(|line| line.starts_with("mintmark_quota_"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(of_quotas(&metrics).len(), 2 * 4 + 3);
        metrics.count_beyond_quota(Environment::Production, Limit::ClientMonth, 7);
        metrics.count_beyond_quota(Environment::Production, Limit::ClientRate, 7);
        metrics.count_draw(DrawResult::Nothing);
        let counted: Vec<_> = of_quotas(&metrics)
            .into_iter()
            .filter(|line| !line.ends_with(" 0"))
            .collect();
        assert_eq!(
            counted,
            [
                "mintmark_quota_beyond_total{environment=\"production\",quota=\"client-month\"} 7",
                "mintmark_quota_draws_total{result=\"nothing\"} 1",
            ]
        );
    }
}
