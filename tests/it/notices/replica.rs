//! Replicas over one store, and a clock that all of them share.

use std::future::Future;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use mintmark::ambient::{Clock, SystemEntropy};
use mintmark::domain::{
    Client, ClientSecret, Environment, KeptNotice, Milliseconds, Mutation, NoticeKind, Seconds, Timestamp, UsageWriter,
};
use mintmark::notices::{NoticeParts, Notices, Webhook, WebhookParts};
use mintmark::registry::{Budgets, Freshness, Promise, Registry, RegistryParts};
use mintmark::store::{Door, MasterKey, NoticeFilter, Page, Store};
use mintmark::telemetry::Metrics;

use super::receiver::Receiver;
use crate::store::samples::{NOW, acme, client, commit, read, secret};

/// The secret that signs in the tests: 32 bytes that count up from zero.
pub const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A clock that moves when it is told to. Clones share it.
#[derive(Clone)]
pub struct HeldClock(Arc<AtomicI64>);

impl HeldClock {
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW.seconds() * 1000)))
    }

    pub fn pass(&self, seconds: Seconds) {
        self.0.fetch_add(i64::from(seconds.get()) * 1000, Ordering::SeqCst);
    }

    pub fn set(&self, now: Timestamp) {
        self.0.store(now.seconds() * 1000, Ordering::SeqCst);
    }
}

impl Clock for HeldClock {
    fn now_milliseconds(&self) -> Milliseconds {
        Milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// One replica.
pub struct Replica {
    pub notices: Notices,
    pub registry: Arc<Registry>,
    pub metrics: Arc<Metrics>,
}

/// Where a replica sends its notices, and how long it waits for an answer.
pub fn to(receiver: &Receiver, timeout: Duration) -> WebhookParts {
    WebhookParts {
        url: receiver.url().parse().unwrap(),
        secrets: vec![SECRET.parse().unwrap()],
        timeout,
        ca_file: None,
    }
}

impl Replica {
    pub fn new(store: &Arc<dyn Store>, clock: &HeldClock, webhook: Option<WebhookParts>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let master_key = MasterKey::load_or_create(&folder.path().join("master.key"), &SystemEntropy::new());
        let metrics = Arc::new(Metrics::new());
        let registry = Registry::open(RegistryParts {
            door: Door::new(Arc::clone(store), 4, Duration::from_secs(20), Arc::new(|_| ())),
            sealer: Arc::new(master_key.unwrap().sealer()),
            capacity: 100,
            revoked: 1000,
            metrics: Arc::clone(&metrics),
            promise: Promise {
                freshness: Freshness::AtOnce,
                patience: Duration::from_secs(20),
                outage: None,
            },
            budgets: Budgets {
                failures_per_minute: NonZeroU32::MIN,
                unknown_ids_per_minute: NonZeroU32::MIN,
                revocations_per_minute: NonZeroU32::MIN,
            },
            writer: UsageWriter::mint(&SystemEntropy::new()),
        });
        let registry = Arc::new(registry.unwrap());
        let notices = Notices::new(NoticeParts {
            registry: Arc::clone(&registry),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy::new()),
            metrics: Arc::clone(&metrics),
            retention: Seconds::from_days(90),
            webhook: webhook.map(|parts| Webhook::start(parts).unwrap()),
        });
        Self {
            notices,
            registry,
            metrics,
        }
    }

    pub fn raise(&self) -> usize {
        block_on(self.notices.raise()).unwrap()
    }

    pub fn deliver(&self) {
        block_on(self.notices.deliver()).unwrap();
    }

    /// How many attempts ended so, by the metrics.
    pub fn attempts(&self, outcome: &str) -> u64 {
        let series = format!("mintmark_webhook_deliveries_total{{outcome=\"{outcome}\"}} ");
        let rendered = self.metrics.render();
        let value = rendered.lines().find_map(|line| line.strip_prefix(&series));
        value.expect("every outcome has a series").parse().unwrap()
    }
}

/// On a runtime of its own, as a server has one.
fn block_on<T>(work: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(work)
}

/// Every notice, the oldest first.
pub fn all(store: &dyn Store) -> Vec<KeptNotice> {
    read(store, |records| {
        records.notices(&NoticeFilter::default(), &Page::first(999))
    })
}

/// What was said of the things of one kind, and when, in days from the beginning: (days before the end, day it was said).
pub fn said(store: &dyn Store, kind: NoticeKind) -> Vec<(u32, u32)> {
    all(store)
        .iter()
        .filter(|kept| kept.notice.subject.kind() == kind)
        .map(|KeptNotice { notice, .. }| (notice.threshold.days(), notice.raised_at.since(NOW).get() / 86_400))
        .collect()
}

/// The partner `acme`, and a client of it with a secret that ends.
pub fn with_secret(store: &dyn Store, expires_at: Timestamp) -> (Client, ClientSecret) {
    acme(store);
    let client = Client {
        environment: Environment::Production,
        ..client("acme", "live-acme-0123456789")
    };
    let secret = ClientSecret {
        expires_at: Some(expires_at),
        ..secret(&client)
    };
    commit(store, Mutation::ClientRegistered(client.clone(), secret.clone())).unwrap();
    (client, secret)
}
