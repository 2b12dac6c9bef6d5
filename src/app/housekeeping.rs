//! What is done now and then, beside the requests: writing usage, forgetting what expired, tending the keys, the certificate,
//! raising and sending notices.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use actix_web::rt::{spawn, time};

use super::tls::Certificate;
use crate::ambient::Clock;
use crate::http::Connections;
use crate::notices::Notices;
use crate::office::Office;
use crate::registry::Registry;
use crate::telemetry::Metrics;

/// How often usage and last uses are written.
const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// How often tokens of quotas that lie idle are given back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(15);
/// How often what expired is forgotten.
const TIDY_EVERY: Duration = Duration::from_mins(1);
/// How often the keys are asked whether they want a change.
const TEND_EVERY: Duration = Duration::from_secs(30);
/// How often the certificate's files are looked at.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(30);

/// How often the log is told of what has no lines of its own.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// How often the notices that wait for it are sent.
const DELIVER_EVERY: Duration = Duration::from_secs(2);

/// How often the connections are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The tasks of one server. Dropping it ends them.
pub(super) struct Housekeeping(Vec<JoinHandle<()>>);

impl Housekeeping {
    /// Starts them.
    pub(super) fn start(
        registry: &Arc<Registry>,
        office: &Arc<Office>,
        clock: &Arc<dyn Clock>,
        certificate: Option<Arc<Certificate>>,
    ) -> Self {
        let flushed = Arc::clone(registry);
        let tidied = (Arc::clone(office), Arc::clone(clock));
        let given_back = (Arc::clone(registry), Arc::clone(clock));
        let tended = (Arc::clone(office), Arc::clone(clock));
        let mut tasks = vec![
            every(FLUSH_EVERY, move || flush(Arc::clone(&flushed))),
            every(TIDY_EVERY, move || tidy(Arc::clone(&tidied.0), Arc::clone(&tidied.1))),
            every(GIVE_BACK_EVERY, move || {
                give_back(Arc::clone(&given_back.0), Arc::clone(&given_back.1))
            }),
            every(TEND_EVERY, move || tend(Arc::clone(&tended.0), Arc::clone(&tended.1))),
        ];
        if let Some(certificate) = certificate {
            tasks.push(every(CERTIFICATE_EVERY, move || {
                let certificate = Arc::clone(&certificate);
                async move { certificate.refresh() }
            }));
        }
        Self(tasks)
    }

    /// Shuts, from now on too, the connections on which nothing has been complete for longer than `patience`.
    pub(super) fn watch(&mut self, connections: Connections, patience: Duration) {
        self.0.push(every(WATCH_EVERY, move || {
            let connections = connections.clone();
            async move { connections.shut_quiet(patience) }
        }));
    }

    /// Tells the log, from now on, of the refusals that have no lines of their own.
    pub(super) fn tell(&mut self, metrics: Arc<Metrics>) {
        self.0.push(every(TELL_EVERY, move || {
            let metrics = Arc::clone(&metrics);
            async move { metrics.tell_the_rest() }
        }));
    }

    /// Raises notices, from now on too, one `period` after the other, and sends them.
    pub(super) fn notify(&mut self, notices: &Arc<Notices>, period: Duration) {
        let (raised, delivered) = (Arc::clone(notices), Arc::clone(notices));
        self.0.push(every(period, move || raise(Arc::clone(&raised))));
        self.0
            .push(every(DELIVER_EVERY, move || deliver(Arc::clone(&delivered))));
    }
}

impl Drop for Housekeeping {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Does `work` again and again, one `period` after the other, the first time after one period.
fn every<F: Future<Output = ()> + 'static>(period: Duration, work: impl Fn() -> F + 'static) -> JoinHandle<()> {
    spawn(async move {
        loop {
            time::sleep(period).await;
            // On a task of its own, so that a fault in it ends this turn and not all that come after.
            let mut turn = UnderWay(spawn(work()));
            if let Err(fault) = (&mut turn.0).await {
                log::error!(error:% = fault; "a task of the housekeeping broke off; its next turn comes in its time");
            }
        }
    })
}

/// A turn under way. It ends with the task that waits for it, so that nothing goes on when the server writes down what is left.
struct UnderWay(JoinHandle<()>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn flush(registry: Arc<Registry>) {
    if let Err(error) = registry.flush_in_turns().await {
        log::warn!(error:% = error; "usage and last uses of secrets could not be written and are kept for later");
    }
}

async fn give_back(registry: Arc<Registry>, clock: Arc<dyn Clock>) {
    if let Err(error) = registry.give_back_idle(clock.now()).await {
        log::warn!(error:% = error; "tokens of quotas could not be given back and are lost until their windows end");
    }
}

async fn tidy(office: Arc<Office>, clock: Arc<dyn Clock>) {
    let now = clock.now();
    let expired = office.registry().tidy(now).await;
    let forgotten = [
        expired,
        office.forget_usage(now).await,
        office.forget_sessions(now).await,
    ];
    match forgotten.into_iter().sum::<Result<u64, _>>() {
        Ok(0) => {}
        Ok(rows) => log::debug!(rows; "forgot what expired"),
        Err(error) => log::warn!(error:% = error; "what expired could not be forgotten"),
    }
}

async fn tend(office: Arc<Office>, clock: Arc<dyn Clock>) {
    if let Err(error) = office.tend_keys(clock.now()).await {
        log::warn!(error:% = error; "the signing keys could not be tended");
    }
}

async fn raise(notices: Arc<Notices>) {
    if let Err(error) = notices.raise().await {
        log::warn!(error:% = error; "what ends soon could not be looked for");
    }
    if let Err(error) = notices.forget().await {
        log::warn!(error:% = error; "old notices could not be forgotten");
    }
}

async fn deliver(notices: Arc<Notices>) {
    if let Err(error) = notices.deliver().await {
        log::warn!(error:% = error; "notices could not be taken from the store to be sent");
    }
}
