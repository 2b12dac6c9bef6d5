//! What stands behind a listener: connections whose octets are handed on as they can be served, with or without TLS, and the HTTP layer
//! over them. HTTP/1.1 only (ADR 0017). The framework's own composition serves no connections but its own (ADR 0028).

use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_server::{GracefulShutdownSignal, ServerBuilder};
use actix_service::{IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_tls::accept::rustls_0_23::{Acceptor, TlsStream};
use actix_tls::accept::{TlsError, max_concurrent_tls_connect};
use actix_web::Error;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::http::{Connections, Paced};

/// How long a client may take to close its side.
const DISCONNECT: Duration = Duration::from_secs(1);

/// How connections are served.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) connections: Connections,
    pub(super) keep_alive: Duration,
    pub(super) header_timeout: Duration,
    pub(super) stopping: GracefulShutdownSignal,
}

impl Serving {
    /// Serves `application` on `listener`, over TLS where there is something to speak it by.
    ///
    /// # Errors
    /// When the listener cannot be used.
    pub(super) fn serve<F, I, S, B>(
        self,
        builder: ServerBuilder,
        (listener, tls): (TcpListener, Option<ServerConfig>),
        application: F,
    ) -> io::Result<ServerBuilder>
    where
        F: Fn() -> I + Clone + Send + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Error = Error, InitError: Debug> + 'static,
        S::Response: Into<Response<B>> + 'static,
        S::Service: Service<Request, Future: 'static> + 'static,
        B: MessageBody + 'static,
    {
        let Some(tls) = tls else {
            return builder.listen("http", listener, move || {
                let connections = self.connections.clone();
                fn_service(move |stream: TcpStream| {
                    let peer = stream.peer_addr().ok();
                    let stream = connections.open(stream);
                    async move { Ok((stream, peer)) }
                })
                .and_then(self.clone().http(application()))
            });
        };
        // The bound of connections holds for those that have not shaken hands too.
        max_concurrent_tls_connect(usize::MAX);
        builder.listen("https", listener, move || {
            let connections = self.connections.clone();
            let mut acceptor = Acceptor::new(tls.clone());
            acceptor.set_handshake_timeout(self.header_timeout);
            acceptor
                .map_init_err(|()| ())
                .map_err(TlsError::into_service_error)
                .map(move |stream: TlsStream<TcpStream>| {
                    let peer = stream.get_ref().0.peer_addr().ok();
                    (connections.open(stream), peer)
                })
                .and_then(self.clone().http(application()).map_err(TlsError::Service))
        })
    }

    /// The HTTP layer over connections of one kind.
    fn http<T, I, S, B>(
        self,
        application: I,
    ) -> impl ServiceFactory<(Paced<T>, Option<SocketAddr>), Config = (), Response = (), Error = DispatchError, InitError = ()>
    where
        T: AsyncRead + AsyncWrite + Unpin + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Error = Error, InitError: Debug> + 'static,
        S::Response: Into<Response<B>> + 'static,
        S::Service: Service<Request, Future: 'static> + 'static,
        B: MessageBody + 'static,
    {
        let stopping = self.stopping;
        let application = application.into_factory().map_err(|error| error.error_response());
        HttpService::<Paced<T>, _, B>::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(self.keep_alive)
            .client_request_timeout(self.header_timeout)
            .client_disconnect_timeout(DISCONNECT)
            .on_connect_ext(Connections::introduce)
            .h1(map_config(application, |()| AppConfig::default()))
    }
}
