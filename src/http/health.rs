//! Health: `/livez` says that the process can still recover by itself, `/readyz` that requests may be sent to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use serde::Serialize;

use crate::domain::Environment;
use crate::registry::Registry;

/// What readiness goes by.
pub struct Health {
    registry: Arc<Registry>,
    draining: AtomicBool,
}

/// Each thing that must hold. The migrations are done before there is a listener, so the store's answer speaks for them too.
#[derive(Clone, Copy, Debug, Serialize)]
struct Checks {
    /// No signal to stop has come.
    staying: bool,
    /// The store answers and the journal has been followed to its head, or an outage is being bridged as the settings allow.
    store: bool,
    /// There is a key to sign with in each environment.
    signing_keys: bool,
}

impl Checks {
    const fn status(self) -> Status {
        if self.staying && self.store && self.signing_keys {
            Status::Ready
        } else {
            Status::NotReady
        }
    }
}

impl Health {
    /// Healthy as long as `registry` is fresh and has keys.
    #[must_use]
    pub const fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            draining: AtomicBool::new(false),
        }
    }

    /// From now on not ready: requests that come are still served, and no more should be sent.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether a signal to stop has come.
    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    async fn checks(&self) -> Checks {
        let staying = !self.is_draining();
        let (mut store, mut signing_keys) = (false, false);
        if let Ok(view) = self.registry.reached().await {
            store = true;
            signing_keys = true;
            for environment in Environment::ALL {
                signing_keys &= view
                    .keyring(environment)
                    .await
                    .is_ok_and(|keyring| keyring.signing().is_some());
            }
        }
        Checks {
            staying,
            store,
            signing_keys,
        }
    }
}

/// Without a pulse every request is refused, and nothing but another start brings one.
pub(super) async fn live(health: Data<Health>) -> HttpResponse {
    let status = if health.registry.has_pulse() {
        Status::Live
    } else {
        Status::Dead
    };
    answer(&HealthBody { status, checks: None })
}

/// For strangers: yes or no.
pub(super) async fn ready_in_short(health: Data<Health>) -> HttpResponse {
    let status = health.checks().await.status();
    answer(&HealthBody { status, checks: None })
}

/// For operators: what holds and what does not.
pub(super) async fn ready_in_full(health: Data<Health>) -> HttpResponse {
    let checks = health.checks().await;
    answer(&HealthBody {
        status: checks.status(),
        checks: Some(checks),
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Live,
    Dead,
    Ready,
    #[serde(rename = "not ready")]
    NotReady,
}

#[derive(Serialize)]
struct HealthBody {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Checks>,
}

fn answer(body: &HealthBody) -> HttpResponse {
    let mut response = match body.status {
        Status::Live | Status::Ready => HttpResponse::Ok(),
        Status::Dead | Status::NotReady => HttpResponse::ServiceUnavailable(),
    };
    response.insert_header((header::CACHE_CONTROL, "no-store")).json(body)
}
