//! A budget of bytes for each client that is remembered: itself, its secret, its place in the cache, and what it was counted with.

use std::io::Write as _;
use std::net::IpAddr;
use std::net::Ipv4Addr;

use actix_web::rt::System;
use mintmark::ambient::Clock as _;
use mintmark::domain::ClientId;
use mintmark::registry::Happening;

use crate::support::counting::{held, weigh_this_thread};
use crate::support::installation::Installation;

/// The most bytes a client takes that has one secret and the scopes of its partner. What the allocator adds is not among them.
const BUDGET: isize = 600;
/// As many are remembered. The tables of the cache grow by doubling; these are few enough not to fill the next.
const CLIENTS: usize = 400;

/// A runtime whose threads are weighed, the ones that read the store among them.
fn weighed_runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().on_thread_start(weigh_this_thread).build().unwrap()
}

#[test]
fn a_remembered_client_stays_within_its_budget_of_bytes() {
    let installation = Installation::start();
    let clients: Vec<ClientId> = (0..=CLIENTS)
        .map(|_| installation.client("acme").register().client_id.parse().unwrap())
        .collect();
    let registry = &installation.registry;
    let (first, others) = clients.split_first().unwrap();
    weigh_this_thread();
    System::with_tokio_rt(weighed_runtime).block_on(async {
        let remember = async |client_id: &ClientId| {
            let view = registry.fresh().await.unwrap();
            let client = view.client(client_id).await.unwrap().unwrap();
            let issued = Happening::Issued {
                scope: client.entitlements.everything().unwrap().scope_text(),
                secret_id: &client.secrets[0].secret_id,
                source: IpAddr::V4(Ipv4Addr::LOCALHOST),
            };
            registry.put_down(&client, installation.clock.now(), issued);
        };
        // What all of them share is read with the first.
        remember(first).await;
        let before = held();
        for client_id in others {
            remember(client_id).await;
        }
        let each = (held() - before) / CLIENTS.cast_signed();
        let line = format!("{each} bytes for each remembered client, of {BUDGET} at the most\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        assert!((1..=BUDGET).contains(&each), "{line}");
    });
}
