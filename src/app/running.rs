//! A server that runs, and how it is brought to an end.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::rt::signal::unix::{SignalKind, signal};
use actix_web::rt::{spawn, time};

use super::housekeeping::Housekeeping;
use super::tls::Certificate;
use super::{Ambient, AppError, House, listeners};
use crate::config::Settings;
use crate::http::Health;
use crate::registry::Registry;

/// How long readiness is red before the listeners close, so that whoever sends requests here can notice.
const NOTICE: Duration = Duration::from_millis(500);

/// A server that runs.
pub struct Running {
    public_address: SocketAddr,
    admin_address: SocketAddr,
    servers: [ServerHandle; 2],
    health: Arc<Health>,
    registry: Arc<Registry>,
    housekeeping: Housekeeping,
    deadline: Duration,
}

impl Running {
    pub(super) fn start(settings: &Settings, ambient: &Ambient, house: House) -> Result<Self, AppError> {
        let certificate = settings.tls.as_ref().map(Certificate::read).transpose()?;
        let public = listeners::public(settings, &house, certificate.as_ref())?;
        let private = listeners::private(settings, &house, certificate.as_ref())?;
        let servers = [public.server.handle(), private.server.handle()];
        spawn(public.server);
        spawn(private.server);
        let housekeeping = Housekeeping::start(&house.registry, &house.office, &ambient.clock, certificate);
        log::info!(public:% = public.address, admin:% = private.address; "ready");
        Ok(Self {
            public_address: public.address,
            admin_address: private.address,
            servers,
            health: house.health,
            registry: house.registry,
            housekeeping,
            deadline: settings.shutdown.deadline,
        })
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

    /// Runs until a signal comes (SIGINT or SIGTERM), then stops as [`Running::stop`] does. A second signal, or the deadline, ends it
    /// at once.
    ///
    /// # Errors
    /// When signals cannot be waited for.
    pub async fn until_signal(self) -> Result<(), AppError> {
        a_signal().await?;
        log::info!("stopping: no longer ready; running requests are finished");
        let servers = self.servers.clone();
        let deadline = self.deadline;
        let impatience = spawn(async move {
            let waited = time::timeout(deadline, a_signal()).await;
            log::warn!(
                "{}",
                if waited.is_ok() {
                    "a second signal: stopping at once"
                } else {
                    "the deadline: stopping at once"
                }
            );
            for server in &servers {
                server.stop(false).await;
            }
        });
        self.stop().await;
        impatience.abort();
        Ok(())
    }

    /// Turns readiness red, lets running requests finish, and writes what is noted in memory.
    pub async fn stop(self) {
        self.health.drain();
        time::sleep(NOTICE).await;
        for server in &self.servers {
            server.stop(true).await;
        }
        drop(self.housekeeping);
        if let Err(error) = self.registry.flush().await {
            log::warn!(error:% = error; "last uses of secrets could not be written");
        }
    }
}

/// Returns at the first SIGINT or SIGTERM after the call.
async fn a_signal() -> Result<(), AppError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    poll_fn(|context| {
        let came = interrupt.poll_recv(context).is_ready() || terminate.poll_recv(context).is_ready();
        if came { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(())
}
