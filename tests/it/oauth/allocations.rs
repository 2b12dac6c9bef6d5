//! A budget of allocations for each token.

use std::io::Write as _;
use std::sync::Arc;

use actix_web::rt::System;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mintmark::domain::Environment::Qa;

use crate::support::allocating::for_a_token;
use crate::support::installation::Installation;

/// The most allocations for one token in code of ours.
const BUDGET: usize = 25;

#[test]
fn a_token_stays_within_its_budget_of_allocations() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let credentials = STANDARD.encode(format!("{}:{}", client.client_id, client.secret));
    let header = format!("Basic {credentials}");
    let registry = Arc::clone(&installation.registry);
    let counted = System::new().block_on(for_a_token(installation.authority(Qa), registry, &header));
    let (own, all, framework) = (counted.own(), counted.all, counted.framework);
    let line =
        format!("{own} allocations for each token, of {BUDGET} at the most; {all} with the framework's {framework}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    assert!(own <= BUDGET, "{line}");
}
