//! What ends soon is shown to whoever scrapes, and counted once a minute.

use std::sync::Arc;

use actix_web::App;
use actix_web::test::{TestRequest, call_and_read_body, init_service};
use mintmark::domain::Seconds;
use mintmark::http::{Health, Scrape, configure_admin};

use super::replica::{HeldClock, Replica, with_secret};
use crate::store::places;
use crate::store::samples::NOW;

/// What a scrape says of the secrets that end within 30 days.
async fn shown(scrape: &Arc<Scrape>, replica: &Replica) -> String {
    let health = Arc::new(Health::new(Arc::clone(&replica.registry)));
    let app = App::new().configure(|config| configure_admin(config, &health, scrape));
    let asked = TestRequest::get().uri("/metrics").to_request();
    let body = call_and_read_body(&init_service(app).await, asked).await;
    let series = "mintmark_secrets_expiring{environment=\"production\",within=\"30d\"} ";
    let text = String::from_utf8(body.to_vec()).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    value.expect("every span has a series").to_owned()
}

#[actix_web::test]
async fn a_scrape_counts_no_more_than_once_a_minute() {
    let (store, clock) = (places::memory().store, HeldClock::new());
    let replica = Replica::new(&store, &clock, None);
    let (registry, metrics) = (Arc::clone(&replica.registry), Arc::clone(&replica.metrics));
    let scrape = Arc::new(Scrape::new(registry, metrics, Arc::new(clock.clone())));
    assert_eq!(shown(&scrape, &replica).await, "0");
    with_secret(&*store, NOW + Seconds::from_days(20));
    clock.pass(Seconds(59));
    assert_eq!(shown(&scrape, &replica).await, "0", "as counted before");
    clock.pass(Seconds(1));
    assert_eq!(shown(&scrape, &replica).await, "1");
}

#[actix_web::test]
async fn a_clock_that_is_set_back_keeps_no_count_for_longer() {
    let (store, clock) = (places::memory().store, HeldClock::new());
    let replica = Replica::new(&store, &clock, None);
    let (registry, metrics) = (Arc::clone(&replica.registry), Arc::clone(&replica.metrics));
    let scrape = Arc::new(Scrape::new(registry, metrics, Arc::new(clock.clone())));
    clock.set(NOW + Seconds::from_days(365));
    shown(&scrape, &replica).await;
    with_secret(&*store, NOW + Seconds::from_days(20));
    clock.set(NOW);
    assert_eq!(shown(&scrape, &replica).await, "1");
}
