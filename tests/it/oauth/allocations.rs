//! A budget of allocations for each token. What is counted is the whole way of a request through the server, less the way of the same
//! request to a handler of the framework that does nothing.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::middleware::from_fn;
use actix_web::rt::System;
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Data, post};
use actix_web::{App, Error, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mintmark::ambient::{PooledEntropy, SystemEntropy};
use mintmark::domain::Environment::Qa;
use mintmark::http::{Endpoints, Health, Layers, OAuthLimits, RequestLog, configure_public, outermost};
use mintmark::telemetry::Metrics;

use crate::support::counting::allocations;
use crate::support::installation::{Installation, MAX_AGE};
use crate::support::registration::Credentials;

/// The most allocations for one token in code of ours.
const BUDGET: usize = 25;

fn request(client: &Credentials) -> TestRequest {
    let credentials = STANDARD.encode(format!("{}:{}", client.client_id, client.secret));
    TestRequest::post()
        .uri("/qa/token")
        .insert_header((AUTHORIZATION, format!("Basic {credentials}")))
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

#[test]
fn a_token_stays_within_its_budget_of_allocations() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let entropy = Arc::new(PooledEntropy::new(Arc::new(SystemEntropy::new())));
    let limits = OAuthLimits {
        body: 16 * 1024,
        body_timeout: Duration::from_secs(10),
        max_age: MAX_AGE,
    };
    let metrics = Arc::new(Metrics::new());
    let endpoints = Arc::new(Endpoints::new(
        installation.authority(Qa),
        metrics,
        entropy.clone(),
        limits,
    ));
    let health = Arc::new(Health::new(Arc::clone(&installation.registry)));
    let layers = Layers {
        entropy,
        trust: Arc::new(|_| false),
        log: RequestLog::Refusals,
        health: Arc::clone(&health),
    };
    let (ours, nothing) = System::new().block_on(async {
        let served = App::new()
            .app_data(Data::new(layers))
            .wrap(from_fn(outermost))
            .configure(|config| configure_public(config, &[endpoints], &health));
        let empty = App::new().route("/qa/token", post().to(async || HttpResponse::Ok().finish()));
        let (served, empty) = (init_service(served).await, init_service(empty).await);
        let request = || request(&client).to_request();
        (measured(&served, request).await, measured(&empty, request).await)
    });
    let own = ours - nothing;
    let line =
        format!("{own} allocations for each token, of {BUDGET} at the most; the framework's own are {nothing}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(own <= BUDGET, "{line}");
}
