//! The outermost layer of both listeners: names the request, finds out who is at the other end, and logs where that was asked for.

use std::sync::Arc;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _};

use super::health::Health;
use super::peer::{PeerAddress, Trust};
use super::quiet::Connection;
use super::unread::{SharedBody, held};
use crate::ambient::Entropy;
use crate::domain::RequestId;

/// The header that names a request, in both directions.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether every request is logged, or only those that are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestLog {
    /// Every request.
    All,
    /// Those that are refused, by whoever refuses them.
    Refusals,
}

/// What the outermost layer needs.
#[derive(Clone)]
pub struct Layers {
    /// For names of requests that bring none.
    pub entropy: Arc<dyn Entropy>,
    /// Which proxies are believed.
    pub trust: Trust,
    /// Which requests are logged.
    pub log: RequestLog,
    /// Whether the server is about to stop.
    pub health: Arc<Health>,
}

/// Puts the [`RequestId`] and the [`PeerAddress`] down in the request, and the name in the answer. Closes the connection behind
/// the answer when the body was not read to its end, or the server is about to stop.
///
/// # Errors
/// Only what comes from within.
pub async fn outermost<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let began = Instant::now();
    let _serving = request.conn_data::<Arc<Connection>>().cloned().map(Connection::serve);
    let body = SharedBody::of(&mut request);
    let Some(layers) = request.app_data::<Data<Layers>>().cloned() else {
        return Ok(held(next.call(request).await?, body));
    };
    let given = request
        .headers()
        .get(&X_REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let request_id = RequestId::given_or_minted(given, &*layers.entropy);
    let peer = PeerAddress::resolve(&request, &layers.trust);
    let name = HeaderValue::from_str(request_id.as_str());
    request.extensions_mut().insert(request_id);
    request.extensions_mut().insert(peer);
    let mut response = next.call(request).await?;
    if let Ok(name) = name {
        response.headers_mut().insert(X_REQUEST_ID, name);
    }
    if layers.health.is_draining() {
        // Whoever keeps the connection would otherwise meet its end with the next request (RFC 9112 §9.6).
        let head = response.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
    if layers.log == RequestLog::All {
        let (status, method) = (response.status().as_u16(), response.request().method().as_str());
        // The pattern, not the path: a path is the caller's to choose.
        let route = response
            .request()
            .match_pattern()
            .unwrap_or_else(|| "unmatched".to_owned());
        let microseconds = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let named = response.request().extensions().get::<RequestId>().cloned();
        let request_id = named.as_ref().map_or("", RequestId::as_str);
        log::info!(request_id, source:% = peer.0, method, route, status, microseconds; "request");
    }
    Ok(held(response, body))
}
