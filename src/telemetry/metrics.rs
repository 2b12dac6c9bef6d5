//! Metrics in the Prometheus text format. Every label value comes from a closed set, so no caller can add a series, and
//! every series is resolved at the start, so counting is an array access and an atomic addition.

mod remembered;

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use self::remembered::RememberedTokens;
use super::noticed::Noticed;
use super::refusals::{Line, Refusals};
use crate::domain::{Environment, Limit, Seconds};

/// Declares a closed set of label values.
macro_rules! label {
    (
        $(#[$documentation:meta])*
        $name:ident { $( $(#[$variant_documentation:meta])* $variant:ident => $text:literal, )+ }
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[$variant_documentation])* $variant, )+ }

        impl $name {
            /// All of them, each at the index of its discriminant.
            pub const ALL: [Self; [$($text),+].len()] = [$(Self::$variant),+];

            /// The label's value.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}
pub(super) use label;

mod quotas;

pub use quotas::DrawResult;
use quotas::QuotaSeries;

label! {
    /// What became of a token request.
    TokenOutcome {
        /// A token was issued.
        Issued => "issued",
        /// RFC 6749 §5.2.
        InvalidClient => "invalid_client",
        /// RFC 6749 §5.2.
        InvalidRequest => "invalid_request",
        /// RFC 6749 §5.2.
        InvalidScope => "invalid_scope",
        /// RFC 8707 §2.
        InvalidTarget => "invalid_target",
        /// RFC 6749 §5.2.
        UnauthorizedClient => "unauthorized_client",
        /// RFC 6749 §5.2.
        UnsupportedGrantType => "unsupported_grant_type",
        /// Answered with 429.
        Limited => "limited",
        /// Answered with 503.
        Unavailable => "unavailable",
    }
}

label! {
    /// A group of routes that share a latency.
    Endpoint {
        /// Issuing.
        Token => "token",
        /// RFC 7662.
        Introspect => "introspect",
        /// RFC 7009.
        Revoke => "revoke",
        /// The JWK set.
        Jwks => "jwks",
        /// RFC 8414.
        Metadata => "metadata",
        /// The whole admin API.
        Admin => "admin",
        /// The pages of operators.
        Console => "console",
    }
}

label! {
    /// Why a request was refused, or failed.
    Reason {
        /// 401: nobody that is known here.
        Unauthenticated => "unauthenticated",
        /// 401 too: a right secret from where its client may not come from.
        WrongSource => "wrong_source",
        /// 403.
        Forbidden => "forbidden",
        /// 429.
        Limited => "limited",
        /// Any other fault of the request.
        Request => "request",
        /// 500 and above: the server cannot answer.
        Unavailable => "unavailable",
    }
}

impl Reason {
    /// That of an answer with this status.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            429 => Self::Limited,
            500.. => Self::Unavailable,
            _ => Self::Request,
        }
    }
}

label! {
    /// Whether the registry remembered what was asked.
    CacheResult {
        /// It did.
        Hit => "hit",
        /// The store had to be asked.
        Miss => "miss",
    }
}

label! {
    /// A signing key's state, as far as it is in the JWK set.
    KeyState {
        /// Known to verifiers, not yet signing.
        Announced => "announced",
        /// Signing.
        Active => "active",
        /// Verifies only.
        Retiring => "retiring",
    }
}

/// Bounds of the request latencies, in seconds: from a cached token to a request that waited for the store's timeout.
const REQUEST_BOUNDS: [f64; 13] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];

/// Bounds of the waits for the store, in seconds.
const STORE_BOUNDS: [f64; 10] = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Everything this process counts. One for the process; shared by reference.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    tokens: [[IntCounter; TokenOutcome::ALL.len()]; Environment::ALL.len()],
    requests: [Histogram; Endpoint::ALL.len()],
    refusals: Refusals,
    store_wait: Histogram,
    cache: [IntCounter; CacheResult::ALL.len()],
    key_age: [[Gauge; KeyState::ALL.len()]; Environment::ALL.len()],
    noticed: Noticed,
    journal_epoch: IntGauge,
    stale_answers: IntCounter,
    remembered: RememberedTokens,
    limited: [[IntCounter; Limit::ALL.len()]; Environment::ALL.len()],
    quotas: QuotaSeries,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Every series at its start: counters and gauges at zero, key ages at `NaN` for want of keys.
    ///
    /// # Panics
    /// Never: the names below are valid and differ from each other, which is all that could be wrong.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        build_info(&registry);
        let key_age = key_age(&registry);
        key_age.iter().flatten().for_each(|gauge| gauge.set(f64::NAN));
        Self {
            tokens: tokens(&registry),
            requests: requests(&registry),
            refusals: refusals(&registry),
            store_wait: store_wait(&registry),
            cache: cache(&registry),
            key_age,
            noticed: Noticed::register(&registry),
            journal_epoch: journal_epoch(&registry),
            stale_answers: stale_answers(&registry),
            remembered: RememberedTokens::new(&registry),
            limited: limited(&registry),
            quotas: QuotaSeries::new(&registry),
            registry,
        }
    }

    /// Counts a token request.
    pub fn count_token(&self, environment: Environment, outcome: TokenOutcome) {
        self.tokens[environment as usize][outcome as usize].inc();
    }

    /// Counts a request that was refused or failed, and says whether it has a line of its own in the log.
    pub fn count_refusal(&self, endpoint: Endpoint, reason: Reason) -> Line {
        self.refusals.count(endpoint, reason)
    }

    /// Writes to the log what had no line of its own since the last call; to be called once a second.
    pub fn tell_the_rest(&self) {
        for (endpoint, reason, count) in self.refusals.next_second() {
            let (endpoint, reason) = (endpoint.as_str(), reason.as_str());
            log::warn!(endpoint, reason, count; "more was refused in a second than has lines of its own");
        }
    }

    /// Counts a request answered with 429, whichever endpoint it came to.
    pub fn count_limited(&self, environment: Environment, limit: Limit) {
        self.limited[environment as usize][limit as usize].inc();
    }

    /// Records how long a request took, from its head to its answer.
    pub fn observe_request(&self, endpoint: Endpoint, took: Duration) {
        self.requests[endpoint as usize].observe(took.as_secs_f64());
    }

    /// Records how long a piece of work waited for a connection to the store.
    pub fn observe_store_wait(&self, waited: Duration) {
        self.store_wait.observe(waited.as_secs_f64());
    }

    /// Counts a look into the registry's cache.
    pub fn count_cache(&self, result: CacheResult) {
        self.cache[result as usize].inc();
    }

    /// Sets the age of the oldest key in `state`; none when there is no such key.
    pub fn set_key_age(&self, environment: Environment, state: KeyState, age: Option<Seconds>) {
        let seconds = age.map_or(f64::NAN, |age| f64::from(age.get()));
        self.key_age[environment as usize][state as usize].set(seconds);
    }

    /// What ends soon, and what became of the notices of it.
    #[must_use]
    pub const fn noticed(&self) -> &Noticed {
        &self.noticed
    }

    /// Sets the journal's head number, as far as this replica has applied it.
    pub fn set_journal_epoch(&self, epoch: i64) {
        self.journal_epoch.set(epoch);
    }

    /// Counts a request served from what was known before an outage of the store.
    pub fn count_stale_answer(&self) {
        self.stale_answers.inc();
    }

    /// Counts tokens drawn beyond a quota that is only observed.
    pub fn count_beyond_quota(&self, environment: Environment, quota: Limit, tokens: u64) {
        self.quotas.count_beyond(environment, quota, tokens);
    }

    /// Counts a draw of tokens from the store.
    pub fn count_draw(&self, result: DrawResult) {
        self.quotas.count_draw(result);
    }

    /// All series in the Prometheus text format (version 0.0.4).
    ///
    /// # Panics
    /// Never: every family below has a name and series.
    #[must_use]
    pub fn render(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .expect("families that were registered can be written")
    }
}

/// Registers `collector` and hands it back.
pub(super) fn registered<C: Collector + Clone + 'static>(registry: &Registry, collector: prometheus::Result<C>) -> C {
    let collector = collector.expect("names and labels of the metrics are well formed");
    registry
        .register(Box::new(collector.clone()))
        .expect("each metric is registered once, in a registry of its own");
    collector
}

fn tokens(registry: &Registry) -> [[IntCounter; TokenOutcome::ALL.len()]; Environment::ALL.len()] {
    let options = Opts::new("mintmark_tokens_total", "Token requests by what became of them");
    let family = registered(registry, IntCounterVec::new(options, &["environment", "outcome"]));
    Environment::ALL.map(|environment| {
        TokenOutcome::ALL.map(|outcome| family.with_label_values(&[environment.as_str(), outcome.as_str()]))
    })
}

fn limited(registry: &Registry) -> [[IntCounter; Limit::ALL.len()]; Environment::ALL.len()] {
    let options = Opts::new(
        "mintmark_limited_total",
        "Requests answered with 429 by the limit that was used up",
    );
    let family = registered(registry, IntCounterVec::new(options, &["environment", "limit"]));
    Environment::ALL
        .map(|environment| Limit::ALL.map(|limit| family.with_label_values(&[environment.as_str(), limit.as_str()])))
}

fn stale_answers(registry: &Registry) -> IntCounter {
    let help = "Requests served from what was known before an outage of the store, as registry.outage allows";
    registered(registry, IntCounter::new("mintmark_registry_stale_answers_total", help))
}

fn requests(registry: &Registry) -> [Histogram; Endpoint::ALL.len()] {
    let options = HistogramOpts::new(
        "mintmark_request_duration_seconds",
        "Time from a request's head to its answer",
    );
    let options = options.buckets(REQUEST_BOUNDS.to_vec());
    let family = registered(registry, HistogramVec::new(options, &["endpoint"]));
    Endpoint::ALL.map(|endpoint| family.with_label_values(&[endpoint.as_str()]))
}

fn refusals(registry: &Registry) -> Refusals {
    let options = Opts::new("mintmark_refusals_total", "Requests refused or failed, by why");
    Refusals::new(&registered(
        registry,
        IntCounterVec::new(options, &["endpoint", "reason"]),
    ))
}

fn store_wait(registry: &Registry) -> Histogram {
    let options = HistogramOpts::new(
        "mintmark_store_wait_seconds",
        "Time waited for a connection to the store",
    );
    registered(registry, Histogram::with_opts(options.buckets(STORE_BOUNDS.to_vec())))
}

fn cache(registry: &Registry) -> [IntCounter; CacheResult::ALL.len()] {
    let options = Opts::new("mintmark_cache_total", "Looks into the registry's cache");
    let family = registered(registry, IntCounterVec::new(options, &["result"]));
    CacheResult::ALL.map(|result| family.with_label_values(&[result.as_str()]))
}

fn key_age(registry: &Registry) -> [[Gauge; KeyState::ALL.len()]; Environment::ALL.len()] {
    let options = Opts::new(
        "mintmark_key_age_seconds",
        "Age of the oldest signing key in a state; NaN when there is none",
    );
    let family = registered(registry, GaugeVec::new(options, &["environment", "state"]));
    Environment::ALL
        .map(|environment| KeyState::ALL.map(|state| family.with_label_values(&[environment.as_str(), state.as_str()])))
}

fn journal_epoch(registry: &Registry) -> IntGauge {
    let options = Opts::new(
        "mintmark_journal_epoch",
        "The journal's head number as applied by this replica",
    );
    registered(registry, IntGauge::with_opts(options))
}

fn build_info(registry: &Registry) {
    let options = Opts::new("mintmark_build_info", "Always 1; the label tells the version");
    registered(registry, IntGaugeVec::new(options, &["version"]))
        .with_label_values(&[env!("CARGO_PKG_VERSION")])
        .set(1);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::NoticeKind;
    use crate::telemetry::{ExpiresWithin, WebhookOutcome};

    /// The value of the series written exactly like this.
    fn value<'a>(rendered: &'a str, series: &str) -> Option<&'a str> {
        rendered
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
    }

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::new();
        metrics.count_token(Environment::Qa, TokenOutcome::Issued);
        metrics.count_token(Environment::Qa, TokenOutcome::Issued);
        metrics.count_token(Environment::Production, TokenOutcome::InvalidClient);
        metrics.observe_request(Endpoint::Token, Duration::from_micros(300));
        metrics.observe_request(Endpoint::Token, Duration::from_millis(200));
        metrics.observe_store_wait(Duration::from_millis(2));
        metrics.count_cache(CacheResult::Hit);
        metrics.set_key_age(Environment::Production, KeyState::Active, Some(Seconds(86_400)));
        metrics.set_journal_epoch(41);
        let rendered = metrics.render();
        let expected = [
            ("mintmark_tokens_total{environment=\"qa\",outcome=\"issued\"}", "2"),
            (
                "mintmark_tokens_total{environment=\"production\",outcome=\"invalid_client\"}",
                "1",
            ),
            (
                "mintmark_tokens_total{environment=\"production\",outcome=\"issued\"}",
                "0",
            ),
            (
                "mintmark_request_duration_seconds_bucket{endpoint=\"token\",le=\"0.00025\"}",
                "0",
            ),
            (
                "mintmark_request_duration_seconds_bucket{endpoint=\"token\",le=\"0.0005\"}",
                "1",
            ),
            (
                "mintmark_request_duration_seconds_bucket{endpoint=\"token\",le=\"0.25\"}",
                "2",
            ),
            ("mintmark_request_duration_seconds_count{endpoint=\"token\"}", "2"),
            ("mintmark_request_duration_seconds_count{endpoint=\"jwks\"}", "0"),
            ("mintmark_store_wait_seconds_bucket{le=\"0.001\"}", "0"),
            ("mintmark_store_wait_seconds_bucket{le=\"0.005\"}", "1"),
            ("mintmark_cache_total{result=\"hit\"}", "1"),
            ("mintmark_cache_total{result=\"miss\"}", "0"),
            (
                "mintmark_key_age_seconds{environment=\"production\",state=\"active\"}",
                "86400",
            ),
            ("mintmark_key_age_seconds{environment=\"qa\",state=\"active\"}", "NaN"),
            ("mintmark_journal_epoch", "41"),
            (
                concat!("mintmark_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}"),
                "1",
            ),
        ];
        for (series, number) in expected {
            assert_eq!(value(&rendered, series), Some(number), "{series} in\n{rendered}");
        }
    }

    #[test]
    fn every_label_value_has_its_own_series_and_no_other_exists() {
        let metrics = Metrics::new();
        let series = |metrics: &Metrics| -> BTreeSet<String> {
            let rendered = metrics.render();
            let lines = rendered.lines().filter(|line| !line.starts_with('#'));
            lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned()).collect()
        };
        let at_the_start = series(&metrics);
        for environment in Environment::ALL {
            for label in TokenOutcome::ALL {
                metrics.count_token(environment, label);
            }
            for label in KeyState::ALL {
                metrics.set_key_age(environment, label, Some(Seconds(1)));
            }
        }
        for label in Endpoint::ALL {
            metrics.observe_request(label, Duration::ZERO);
            for reason in Reason::ALL {
                metrics.count_refusal(label, reason);
            }
        }
        for label in CacheResult::ALL {
            metrics.count_cache(label);
        }
        for label in WebhookOutcome::ALL {
            metrics.noticed().count_webhook(label);
        }
        for within in ExpiresWithin::ALL {
            for kind in NoticeKind::ALL {
                for environment in Environment::ALL {
                    metrics.noticed().set_expiring(kind, (environment, within), 1);
                }
            }
        }
        assert_eq!(series(&metrics), at_the_start);

        let rendered = metrics.render();
        let all_are_one = |name: &str| {
            let values: Vec<_> = rendered
                .lines()
                .filter(|line| line.starts_with(name))
                .map(|line| line.rsplit_once(' ').unwrap().1)
                .collect();
            assert!(values.iter().all(|value| *value == "1"), "{name}: {values:?}");
            values.len()
        };
        assert_eq!(all_are_one("mintmark_tokens_total{"), 2 * 9);
        assert_eq!(all_are_one("mintmark_key_age_seconds{"), 2 * 3);
        assert_eq!(all_are_one("mintmark_request_duration_seconds_count{"), 7);
        assert_eq!(all_are_one("mintmark_refusals_total{"), 7 * 6);
        assert_eq!(all_are_one("mintmark_cache_total{"), 2);
        assert_eq!(all_are_one("mintmark_secrets_expiring{"), 2 * 4);
        assert_eq!(all_are_one("mintmark_clients_expiring{"), 2 * 4);
        assert_eq!(all_are_one("mintmark_webhook_deliveries_total{"), 3);
    }

    #[test]
    fn a_key_that_went_leaves_no_age_behind() {
        let metrics = Metrics::new();
        metrics.set_key_age(Environment::Qa, KeyState::Retiring, Some(Seconds(5)));
        metrics.set_key_age(Environment::Qa, KeyState::Retiring, None);
        let rendered = metrics.render();
        let series = "mintmark_key_age_seconds{environment=\"qa\",state=\"retiring\"}";
        assert_eq!(value(&rendered, series), Some("NaN"));
    }

    #[test]
    fn two_processes_in_one_do_not_share_their_counts() {
        let one = Metrics::new();
        Metrics::new().count_cache(CacheResult::Hit);
        assert_eq!(value(&one.render(), "mintmark_cache_total{result=\"hit\"}"), Some("0"));
    }
}
