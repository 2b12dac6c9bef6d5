//! The two listeners, with their bounds: header and idle timeouts, connections, TLS.

use std::convert::Infallible;
use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::num::NonZero;
use std::sync::Arc;

use actix_http::body::MessageBody;
use actix_http::{Request, Response};
use actix_server::Server;
use actix_service::{IntoServiceFactory, Service, ServiceFactory};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpSocket;
use actix_web::{App, Error, web};
use tokio::sync::mpsc;

use super::room::Room;
use super::serving::Serving;
use super::tls::Certificate;
use super::{AppError, House};
use crate::config::Settings;
use crate::console;
use crate::http::{Connections, admin, configure_admin, configure_public, outermost};

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

/// Where to listen, and for how many.
struct Place<'a> {
    address: SocketAddr,
    workers: usize,
    /// The most connections at one time.
    most: usize,
    certificate: Option<&'a Arc<Certificate>>,
}

/// Applies the bounds of the settings to a server of so many workers at the most, binds it and starts it.
fn listen<F, I, S, B>(
    place: &Place<'_>,
    settings: &Settings,
    (application, working): (F, mpsc::Receiver<Infallible>),
) -> Result<Listener, AppError>
where
    F: Fn() -> I + Clone + Send + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error, InitError: Debug> + 'static,
    S::Response: Into<Response<B>> + 'static,
    S::Service: Service<Request, Future: 'static> + 'static,
    B: MessageBody + 'static,
{
    let connections = Connections::at_most(place.most);
    let workers = place.most.min(place.workers);
    let builder = Server::build()
        .disable_signals()
        .workers(workers)
        // The framework counts them for each worker.
        .max_concurrent_connections(place.most / workers)
        // Whoever stops the server holds it to the deadline; this is for who does not.
        .shutdown_timeout(settings.shutdown.deadline.as_secs() + 1);
    let serving = Serving {
        connections: connections.clone(),
        keep_alive: settings.limits.keep_alive,
        header_timeout: settings.limits.header_timeout,
        stopping: builder.graceful_shutdown_signal(),
    };
    let tls = place.certificate.map(Certificate::server_config).transpose()?;
    let fault = |cause| AppError::Listen {
        address: place.address,
        cause,
    };
    let listener = bind(place.address).map_err(fault)?;
    Ok(Listener {
        // With port 0 the system chooses one.
        address: listener.local_addr().map_err(fault)?,
        connections,
        server: serving
            .serve(builder, (listener, tls), application)
            .map_err(fault)?
            .run(),
        working,
    })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// The OAuth endpoints and discovery.
pub(super) fn public(
    settings: &Settings,
    house: &House,
    certificate: Option<&Arc<Certificate>>,
) -> Result<Listener, AppError> {
    let (endpoints, health, layers) = (house.endpoints.clone(), Arc::clone(&house.health), house.layers.clone());
    let (at_work, working) = mpsc::channel::<Infallible>(1);
    let application = move || {
        App::new()
            .app_data(at_work.clone())
            .app_data(web::Data::new(layers.clone()))
            .wrap(from_fn(outermost))
            .configure(|config| configure_public(config, &endpoints, &health))
    };
    let place = Place {
        address: settings.listen.public,
        workers: workers(),
        most: Room::of(settings).public,
        certificate,
    };
    listen(&place, settings, (application, working))
}

/// The admin API, the console, metrics, health in full. One worker is plenty for people.
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
    let console = Arc::clone(&house.console);
    let (at_work, working) = mpsc::channel::<Infallible>(1);
    let application = move || {
        App::new()
            .app_data(at_work.clone())
            .app_data(web::Data::new(layers.clone()))
            .app_data(web::Data::from(Arc::clone(&office)))
            .wrap(from_fn(outermost))
            .configure(|config| admin::configure(config, &gate))
            .configure(|config| console::configure(config, &console))
            .configure(|config| configure_admin(config, &health, &scrape))
    };
    let place = Place {
        address: settings.listen.admin,
        workers: 1,
        most: Room::of(settings).admin,
        certificate,
    };
    listen(&place, settings, (application, working))
}

/// One for each core, as the framework would have it by itself; more than this many it refuses.
fn workers() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).min(512)
}
