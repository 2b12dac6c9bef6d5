//! How often the answer to a token request allocates. What is counted is the whole way of the request through the server, and the way
//! of the same request to a handler of the framework that does nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Data, post};
use actix_web::{App, Error, HttpResponse};
use mintmark::ambient::{PooledEntropy, SystemEntropy};
use mintmark::authority::Authority;
use mintmark::domain::Seconds;
use mintmark::http::{Endpoints, Health, Layers, OAuthLimits, RequestLog, configure_public, outermost};
use mintmark::registry::Registry;
use mintmark::telemetry::Metrics;

use super::counting::allocations;

/// Allocations for one token.
pub struct Allocations {
    /// In the server and the framework below it.
    pub all: usize,
    /// In the framework alone.
    pub framework: usize,
}

impl Allocations {
    /// Those in code of ours.
    pub const fn own(&self) -> usize {
        self.all - self.framework
    }
}

/// Counts those for a token that `authority` issues in QA to the client whose `Authorization` header is `header`.
pub async fn for_a_token(authority: Authority, registry: Arc<Registry>, header: &str) -> Allocations {
    let entropy = Arc::new(PooledEntropy::new(Arc::new(SystemEntropy::new())));
    let limits = OAuthLimits {
        body: 16 * 1024,
        body_timeout: Duration::from_secs(10),
        max_age: Seconds(300),
    };
    let endpoints = Arc::new(Endpoints::new(
        authority,
        Arc::new(Metrics::new()),
        entropy.clone(),
        limits,
    ));
    let health = Arc::new(Health::new(registry));
    let layers = Layers {
        entropy,
        trust: Arc::new(|_| false),
        log: RequestLog::Refusals,
        health: Arc::clone(&health),
    };
    let served = App::new()
        .app_data(Data::new(layers))
        .wrap(from_fn(outermost))
        .configure(|config| configure_public(config, &[endpoints], &health));
    let empty = App::new().route("/qa/token", post().to(async || HttpResponse::Ok().finish()));
    let (served, empty) = (init_service(served).await, init_service(empty).await);
    let request = || request(header).to_request();
    Allocations {
        all: measured(&served, request).await,
        framework: measured(&empty, request).await,
    }
}

fn request(header: &str) -> TestRequest {
    TestRequest::post()
        .uri("/qa/token")
        .insert_header((AUTHORIZATION, header))
        .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"))
        .set_payload("grant_type=client_credentials")
}

/// How many allocations the answer to one request takes, once `app` has been asked often enough to be warm.
async fn measured<R, B: MessageBody>(
    app: &impl Service<R, Response = ServiceResponse<B>, Error = Error>,
    request: impl Fn() -> R,
) -> usize {
    let mut took = 0;
    for _ in 0..10 {
        let request = request();
        let before = allocations();
        let response = app.call(request).await.expect("it is answered");
        took = allocations() - before;
        assert_eq!(response.status(), 200);
    }
    took
}
