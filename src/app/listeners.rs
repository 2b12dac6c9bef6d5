//! The two listeners, with their bounds: header and idle timeouts, connections, TLS.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tokio::sync::mpsc;

use super::room::Room;
use super::tls::Certificate;
use super::{AppError, House};
use crate::config::Settings;
use crate::http::{Connections, admin, configure_admin, configure_public, outermost};

/// How long a client may take to close its side.
const DISCONNECT: Duration = Duration::from_secs(1);

/// How many connections may wait to be let in. The system may allow fewer; beyond it callers try again after a second.
const BACKLOG: u32 = 4096;

/// A listener that stands, and where.
pub(super) struct Listener {
    pub(super) address: SocketAddr,
    pub(super) connections: Connections,
    pub(super) server: Server,
    /// Its other end is held by the server, by each of its workers, and by each request: this one closes behind the last of them.
    pub(super) working: mpsc::Receiver<Infallible>,
}

/// Applies the bounds of the settings to a server of so many workers at the most, binds it and starts it.
macro_rules! listen {
    (($server:expr, $working:expr), ($workers:expr, $most:expr), $address:expr, ($settings:expr, $certificate:expr)) => {{
        let limits = &$settings.limits;
        let most: usize = $most;
        let connections = Connections::at_most(most);
        let noted = connections.clone();
        let workers = most.min($workers);
        let server = $server
            .disable_signals()
            .workers(workers)
            .on_connect(move |stream, data| noted.note(stream, data))
            .backlog(BACKLOG)
            .keep_alive(limits.keep_alive)
            .client_request_timeout(limits.header_timeout)
            .client_disconnect_timeout(DISCONNECT)
            // The framework counts them for each worker.
            .max_connections(most / workers)
            // Whoever stops the server holds it to the deadline; this is for who does not.
            .shutdown_timeout($settings.shutdown.deadline.as_secs() + 1);
        let bound = match $certificate {
            Some(certificate) => server.bind_rustls_0_23($address, certificate.server_config()?),
            None => server.bind($address),
        };
        let server = bound.map_err(|cause| AppError::Listen {
            address: $address,
            cause,
        })?;
        Ok(Listener {
            // With port 0 the system chooses one.
            address: server.addrs().first().copied().unwrap_or($address),
            connections,
            server: server.run(),
            working: $working,
        })
    }};
}

/// The OAuth endpoints and discovery.
pub(super) fn public(
    settings: &Settings,
    house: &House,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Listener, AppError> {
    let (endpoints, health, layers) = (house.endpoints.clone(), Arc::clone(&house.health), house.layers.clone());
    let (at_work, working) = mpsc::channel::<Infallible>(1);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(at_work.clone())
            .app_data(web::Data::new(layers.clone()))
            .wrap(from_fn(outermost))
            .configure(|config| configure_public(config, &endpoints, &health))
    });
    let most = Room::of(settings).public;
    listen!(
        (server, working),
        (workers(), most),
        settings.listen.public,
        (settings, certificate)
    )
}

/// The admin API, metrics, health in full. One worker is plenty for people.
pub(super) fn private(
    settings: &Settings,
    house: &House,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Listener, AppError> {
    let (office, health, layers) = (
        Arc::clone(&house.office),
        Arc::clone(&house.health),
        house.layers.clone(),
    );
    let (scrape, gate) = (Arc::clone(&house.scrape), house.gate.clone());
    let (at_work, working) = mpsc::channel::<Infallible>(1);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(at_work.clone())
            .app_data(web::Data::new(layers.clone()))
            .app_data(web::Data::from(Arc::clone(&office)))
            .wrap(from_fn(outermost))
            .configure(|config| admin::configure(config, &gate))
            .configure(|config| configure_admin(config, &health, &scrape))
    });
    let most = Room::of(settings).admin;
    listen!(
        (server, working),
        (1, most),
        settings.listen.admin,
        (settings, certificate)
    )
}

/// One for each core, as the framework would have it by itself; more than this many it refuses.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).min(512)
}
