//! Something disabled that still works by another door (CVE-2026-9705, CVE-2024-46999, and a whole family).
//!
//! Everything that can be disabled, against every OAuth route, on the replica that did it and on one that only hears of it; each
//! route is used first, so that whatever may be remembered is.

use std::sync::Arc;

use mintmark::domain::Environment::Qa;
use mintmark::store::Sharing;

use crate::support::faulty::FaultyStore;
use crate::support::installation::{Installation, Plan, START};
use crate::support::registration::Credentials;
use crate::support::wire::Answer;

type Disable = fn(&Installation, &Credentials);

/// What can be disabled behind a client of the sub-account `acme-north`.
const THINGS: [(&str, Disable); 6] = [
    ("the partner", |installation, _| {
        installation.suspend_partner("acme-north")
    }),
    ("the parent partner", |installation, _| {
        installation.suspend_partner("acme")
    }),
    ("the client, suspended", |installation, client| {
        installation.suspend(client)
    }),
    ("the client, revoked", |installation, client| {
        installation.revoke_client(client)
    }),
    ("the client, expired", |installation, client| {
        installation.expire_client(client, START)
    }),
    ("the secret", |installation, client| {
        installation.end_secret(client, START)
    }),
];

/// Two replicas over one store.
fn replicas() -> [Installation; 2] {
    let store = Arc::new(FaultyStore::new(Sharing::Shared));
    let plan = Plan {
        store: store.clone(),
        ..Plan::default()
    };
    let first = plan.start();
    let second = first.replica(store);
    [first, second]
}

fn presented(installation: &Installation, client: &Credentials, (endpoint, token): (&str, &str)) -> [Answer; 2] {
    let form = || {
        installation
            .form(Qa, endpoint)
            .param("token", token)
            .param("grant_type", "client_credentials")
    };
    [form().basic(client).send(), form().posting(client).send()]
}

#[test]
fn whatever_stands_behind_a_client_every_route_is_shut_when_it_is_disabled() {
    for (thing, disable) in THINGS {
        let replicas = replicas();
        let client = replicas[0].client("acme-north").register();
        let asking = replicas[0].resource_server("orders").register();
        let token = replicas[0].issue(&client);
        for replica in &replicas {
            assert!(replica.is_active(&asking, &token), "{thing}");
            for answer in presented(replica, &client, ("token", "")) {
                assert_eq!(answer.status, 200, "{thing}");
            }
            assert_eq!(replica.revoke(&client, "x").status, 200, "{thing}");
        }
        disable(&replicas[0], &client);
        for replica in replicas.iter().rev() {
            for endpoint in ["token", "revoke", "introspect"] {
                for answer in presented(replica, &client, (endpoint, &token)) {
                    answer.refused(401, "invalid_client");
                }
            }
            assert!(!replica.is_active(&asking, &token), "{thing}");
        }
    }
}

#[test]
fn a_disabled_resource_server_learns_nothing_more() {
    for (thing, disable) in &THINGS[2..] {
        let replicas = replicas();
        let client = replicas[0].client("acme").register();
        let asking = replicas[0].resource_server("orders").register();
        let token = replicas[0].issue(&client);
        for replica in &replicas {
            assert!(replica.is_active(&asking, &token), "{thing}");
        }
        disable(&replicas[0], &asking);
        for replica in replicas.iter().rev() {
            for endpoint in ["introspect", "token", "revoke"] {
                for answer in presented(replica, &asking, (endpoint, &token)) {
                    answer.refused(401, "invalid_client");
                }
            }
        }
    }
}

#[test]
fn what_a_revoked_key_signed_is_worth_nothing_at_once() {
    let replicas = replicas();
    let client = replicas[0].client("acme").register();
    let asking = replicas[0].resource_server("orders").register();
    let token = replicas[0].issue(&client);
    for replica in &replicas {
        assert!(replica.is_active(&asking, &token));
    }
    replicas[0].revoke_key(Qa);
    for replica in replicas.iter().rev() {
        assert!(!replica.is_active(&asking, &token));
        assert_eq!(replica.get("/qa/jwks").text(), r#"{"keys":[]}"#);
        replica.token(&client).send().refused(503, "temporarily_unavailable");
        assert_eq!(
            replica.revoke(&client, &token).status,
            200,
            "there is nothing left to revoke"
        );
    }
}

#[test]
fn revoked_is_final_and_reinstating_a_partner_brings_no_revoked_client_back() {
    let [installation, _] = replicas();
    let client = installation.client("acme-north").register();
    installation.revoke_client(&client);
    installation.suspend_partner("acme-north");
    installation.reinstate_partner("acme-north");
    installation.token(&client).send().refused(401, "invalid_client");
    assert!(installation.record(&client).reinstated().is_err());
    let added = installation.add_secret(&client, crate::support::registration::ALWAYS);
    installation.token(&added).send().refused(401, "invalid_client");
}
