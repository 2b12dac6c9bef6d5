//! A server that runs, and how it is brought to an end.
//!
//! SIGINT or SIGTERM: readiness turns red and each answer says that it is the connection's last; after a while that others need to
//! notice, the listeners close, running requests are finished, what is noted in memory is written. A second one, or the deadline, cuts
//! the requests off; what is noted is written all the same, in what is left until the deadline, or in five seconds where less is left.
//! Nothing is served any more by then: what was given back would be drawn again by whoever came late, and lost.
//! SIGHUP: the certificate's files are read again at once.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{Signal, SignalKind, signal};
use actix_web::rt::task::JoinHandle;
use actix_web::rt::{spawn, time};
use tokio::sync::mpsc;

use super::housekeeping::Housekeeping;
use super::listeners::Listener;
use super::room::{Room, take_all_files};
use super::tls::Certificate;
use super::{Ambient, AppError, House, listeners};
use crate::config::Settings;
use crate::console;
use crate::http::Health;
use crate::office::Office;
use crate::registry::Registry;
use crate::telemetry::Metrics;

/// How long what is noted may take to be written where requests have used up the time until the deadline.
const LEAST_FOR_WRITING: Duration = Duration::from_secs(5);
/// How long the workers of both servers may take to drop what they are at. They look once a second whether they are to.
const LETTING_GO: Duration = Duration::from_secs(3);

/// One of the two servers, with its workers.
struct Listening {
    handle: ServerHandle,
    task: JoinHandle<io::Result<()>>,
    working: mpsc::Receiver<Infallible>,
}

impl Listening {
    fn begin(Listener { server, working, .. }: Listener) -> Self {
        Self {
            handle: server.handle(),
            task: spawn(server),
            working,
        }
    }

    /// Closes the listener. Returns when the requests that run are finished.
    async fn finish(&self) {
        self.handle.stop(true).await;
    }

    /// Breaks off what is left of them.
    fn cut_off(&self) {
        // A server that waits for its requests hears no second word. It is dropped instead, which has its workers drop them.
        self.task.abort();
    }

    /// Returns when none of them runs any more.
    async fn let_go(&mut self) {
        self.working.recv().await;
    }
}

/// A server that runs.
pub struct Running {
    public_address: SocketAddr,
    admin_address: SocketAddr,
    servers: [Listening; 2],
    health: Arc<Health>,
    registry: Arc<Registry>,
    metrics: Arc<Metrics>,
    housekeeping: Housekeeping,
    certificate: Option<Arc<Certificate>>,
    notice: Duration,
    deadline: Duration,
    set_up_link: Option<String>,
}

impl Running {
    pub(super) fn start(settings: &Settings, ambient: &Ambient, house: House) -> Result<Self, AppError> {
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose()?;
        take_all_files();
        Room::of(settings).tell(settings);
        let public = listeners::public(settings, &house, certificate.as_ref())?;
        let private = listeners::private(settings, &house, certificate.as_ref())?;
        let mut housekeeping = Housekeeping::start(&house.registry, &house.office, &ambient.clock, certificate.clone());
        housekeeping.notify(&house.notices, settings.notices.every);
        let patience = settings.limits.keep_alive + settings.limits.header_timeout;
        housekeeping.watch(public.connections.clone(), patience);
        housekeeping.watch(private.connections.clone(), patience);
        housekeeping.tell(Arc::clone(&house.gate.metrics));
        Ok(Self {
            public_address: public.address,
            admin_address: private.address,
            servers: [public, private].map(Listening::begin),
            health: house.health,
            registry: house.registry,
            metrics: house.gate.metrics,
            housekeeping,
            certificate,
            notice: settings.shutdown.notice,
            deadline: settings.shutdown.deadline,
            set_up_link: None,
        })
    }

    /// Makes a link by which whoever reads it can make the first owner, once.
    pub(super) fn offer_set_up(&mut self, office: &Office) {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        let (address, code) = (self.admin_address, office.offer_set_up());
        self.set_up_link = Some(format!(
            "{scheme}://{address}{}/set-up/{}",
            console::PREFIX,
            code.expose()
        ));
    }

    /// The link by which the first owner is made, where there is none. A secret: for whoever started the server, and for no log.
    #[must_use]
    pub fn set_up_link(&self) -> Option<&str> {
        self.set_up_link.as_deref()
    }

    /// Where the OAuth endpoints listen.
    #[must_use]
    pub const fn public_address(&self) -> SocketAddr {
        self.public_address
    }

    /// Where the admin API listens.
    #[must_use]
    pub const fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Says where it is ready, runs until SIGINT or SIGTERM comes, then stops as [`Running::stop`] does, but within the deadline and
    /// until a second signal.
    ///
    /// # Errors
    /// When signals cannot be waited for.
    pub async fn until_signal(self) -> Result<(), AppError> {
        // Before anybody can know that the server is ready and send one.
        let mut signals = Signals::listen()?;
        log::info!(public:% = self.public_address, admin:% = self.admin_address; "ready");
        while let Asked::Reload = signals.next().await {
            self.reload_certificate();
        }
        self.health.drain();
        let asked = Instant::now();
        log::info!("stopping: no longer ready; running requests are finished");
        match time::timeout(self.deadline, first(self.finish_requests(), signals.stop())).await {
            Ok(First::Done) => {}
            Ok(First::Interrupted) => log::warn!("a second signal: running requests are cut off"),
            Err(_) => log::warn!("the deadline has come: running requests are cut off"),
        }
        let left = self.deadline.saturating_sub(asked.elapsed());
        self.write_what_is_noted(left).await;
        Ok(())
    }

    /// Turns readiness red and gives notice of it, lets running requests finish, and writes what is noted in memory.
    pub async fn stop(self) {
        self.health.drain();
        self.finish_requests().await;
        let left = self.deadline;
        self.write_what_is_noted(left).await;
    }

    /// The admin listener is closed last, so that readiness and metrics are seen to the end.
    async fn finish_requests(&self) {
        time::sleep(self.notice).await;
        for server in &self.servers {
            server.finish().await;
        }
    }

    async fn write_what_is_noted(self, left: Duration) {
        drop(self.housekeeping);
        let [mut public, mut private] = self.servers;
        public.cut_off();
        private.cut_off();
        let both = async {
            public.let_go().await;
            private.let_go().await;
        };
        if time::timeout(LETTING_GO, both).await.is_err() {
            log::warn!("a worker does not let go of its requests: what they draw of quotas from here on is lost");
        }
        self.metrics.tell_the_rest();
        let left = left.max(LEAST_FOR_WRITING);
        if time::timeout(left, write_down(&self.registry)).await.is_err() {
            log::warn!("the deadline has come: what was counted and is not written yet is lost");
        }
    }

    fn reload_certificate(&self) {
        match &self.certificate {
            Some(certificate) => certificate.reload(),
            None => log::info!("a hang-up signal: without a certificate there is nothing to read again"),
        }
    }
}

/// First what is soon done and lost for a month otherwise, then what may take long.
async fn write_down(registry: &Registry) {
    if let Err(error) = registry.give_back_all().await {
        log::warn!(error:% = error; "tokens of quotas could not be given back and are lost until their windows end");
    }
    if let Err(error) = registry.flush().await {
        log::warn!(error:% = error; "usage and last uses of secrets could not be written");
    }
}

/// The signals a server listens to. One that comes while nobody waits is not lost.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

/// What a signal asks for.
enum Asked {
    Stop,
    Reload,
}

impl Signals {
    fn listen() -> Result<Self, AppError> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Asked {
        poll_fn(|context| {
            if self.asks_to_stop(context) {
                Poll::Ready(Asked::Stop)
            } else {
                self.hang_up.poll_recv(context).map(|_| Asked::Reload)
            }
        })
        .await
    }

    /// Returns at the next SIGINT or SIGTERM.
    async fn stop(&mut self) {
        poll_fn(|context| {
            if self.asks_to_stop(context) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn asks_to_stop(&mut self, context: &mut Context<'_>) -> bool {
        self.interrupt.poll_recv(context).is_ready() || self.terminate.poll_recv(context).is_ready()
    }
}

/// Which of two came first.
enum First {
    Done,
    Interrupted,
}

async fn first(work: impl Future<Output = ()>, interruption: impl Future<Output = ()>) -> First {
    let (mut work, mut interruption) = (pin!(work), pin!(interruption));
    poll_fn(|context| {
        if work.as_mut().poll(context).is_ready() {
            Poll::Ready(First::Done)
        } else {
            interruption.as_mut().poll(context).map(|()| First::Interrupted)
        }
    })
    .await
}
