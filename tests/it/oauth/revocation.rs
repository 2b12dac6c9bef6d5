//! Token revocation (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use mintmark::domain::Environment::Qa;
use mintmark::domain::{Action, Noun};
use mintmark::store::{JournalFilter, Page, Sharing};

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::forge;
use crate::support::installation::{Installation, Plan, START, also_on_sql};
use crate::support::registration::ALWAYS;

#[test]
fn rev_01_a_token_is_revoked_by_a_form() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = || installation.form(Qa, "revoke").basic(&client);
    request().send().refused(400, "invalid_request");
    request().param("token", "").send().refused(400, "invalid_request");
    let json = request()
        .header("Content-Type", "application/json")
        .body("{\"token\":\"x\"}");
    json.send().refused(400, "invalid_request");
    installation
        .request("GET", "/qa/revoke?token=x")
        .basic(&client)
        .send()
        .refused(405, "invalid_request");
    let answer = installation.revoke(&client, &installation.issue(&client));
    assert_eq!((answer.status, answer.text()), (200, ""));
}

#[test]
fn rev_02_another_clients_token_is_refused_and_lives_on() {
    let installation = Installation::start();
    let owner = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&owner);
    for other in [
        installation.client("acme").register(),
        installation.client("globex").register(),
        asking.clone(),
    ] {
        installation.revoke(&other, &token).refused(400, "unauthorized_client");
    }
    let anonymous = installation.form(Qa, "revoke").param("token", &token);
    anonymous.send().refused(401, "invalid_client");
    assert!(installation.is_active(&asking, &token), "it was not revoked");
    let second = installation.add_secret(&owner, ALWAYS);
    assert_eq!(
        installation.revoke(&second, &token).status,
        200,
        "any secret of the owner will do"
    );
    assert!(!installation.is_active(&asking, &token));
}

#[test]
fn rev_03_what_is_not_alive_is_no_error() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let token = installation.issue(&client);
    let foreign = forge::with_claims(&Installation::start().key_pair(Qa), &token, |_| ());
    let cut = &token[..token.len() - 1];
    for nothing in ["x", "a.b.c", "\u{0}", &"x".repeat(10_000), &foreign, cut] {
        assert_eq!(installation.revoke(&client, nothing).status, 200, "{nothing:.40}");
    }
    assert_eq!(installation.revoke(&client, &token).status, 200);
    assert_eq!(installation.revoke(&client, &token).status, 200, "revoked already");
    let expiring = installation.issue(&client);
    installation.clock.advance(301);
    assert_eq!(installation.revoke(&client, &expiring).status, 200, "expired already");
    assert_eq!(
        revocations(&installation),
        1,
        "only the one that was alive is written down"
    );
}

/// How often a revocation stands in the journal.
fn revocations(installation: &Installation) -> usize {
    let page = Page {
        after: None,
        limit: 1000,
    };
    let rows = installation.read(move |records| records.journal(&JournalFilter::default(), &page));
    rows.iter()
        .filter(|row| row.action == Action::TokenRevoked && row.noun == Noun::Token)
        .count()
}

#[test]
fn rev_04_a_wrong_hint_changes_nothing() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    for hint in ["access_token", "refresh_token", "nonsense", ""] {
        let token = installation.issue(&client);
        let request = installation.form(Qa, "revoke").basic(&client).param("token", &token);
        assert_eq!(request.param("token_type_hint", hint).send().status, 200);
        assert!(!installation.is_active(&asking, &token), "{hint}");
    }
}

#[test]
fn rev_05_the_one_type_of_token_there_is_can_be_revoked() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation.form(Qa, "revoke").basic(&client).param("token", "x");
    let answer = request.param("token_type_hint", "refresh_token").send();
    assert_eq!(
        (answer.status, answer.text()),
        (200, ""),
        "never unsupported_token_type"
    );
}

#[test]
fn rev_06_an_access_token_is_revoked_alone() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let (revoked, kept) = (installation.issue(&client), installation.issue(&client));
    assert_eq!(installation.revoke(&client, &revoked).status, 200);
    assert!(!installation.is_active(&asking, &revoked));
    assert!(
        installation.is_active(&asking, &kept),
        "the client's other tokens are none of its business"
    );
    assert_eq!(installation.token(&client).send().status, 200);
}

#[test]
fn rev_07_a_revocation_is_known_to_every_replica_when_it_is_answered() {
    let store = Arc::new(FaultyStore::new(Sharing::Shared));
    let installation = Plan {
        store: store.clone(),
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let replica = installation.replica(store);
    for _ in 0..20 {
        let token = installation.issue(&client);
        assert!(replica.is_active(&asking, &token));
        assert_eq!(installation.revoke(&client, &token).status, 200);
        assert!(!replica.is_active(&asking, &token));
    }
    assert_eq!(replica.token(&client).send().status, 200);
    installation.suspend(&client);
    replica.token(&client).send().refused(401, "invalid_client");
}

#[test]
fn rev_07_a_revocation_is_kept_as_long_as_the_token_could_live() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(3600).register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert_eq!(installation.revoke(&client, &token).status, 200);
    installation.clock.advance(3599);
    crate::support::installation::block_on(installation.registry.tidy(installation.now())).unwrap();
    assert!(
        !installation.is_active(&asking, &token),
        "forgetting must not bring it back"
    );
    assert_eq!(installation.now(), START + mintmark::domain::Seconds(3599));
}

#[test]
fn rev_08_without_the_store_the_answer_is_503_and_the_token_lives() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = Plan {
        store: Arc::new(store.clone()),
        patience: Duration::from_secs(10),
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    store.set(Fault::BeforeWriting);
    let answer = installation.revoke(&client, &token);
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
    store.set(Fault::Nothing);
    assert!(installation.is_active(&asking, &token));
    assert_eq!(
        installation.revoke(&client, &token).status,
        200,
        "asked again, it is done"
    );
    assert!(!installation.is_active(&asking, &token));
}

also_on_sql!(
    rev_02_another_clients_token_is_refused_and_lives_on,
    rev_03_what_is_not_alive_is_no_error,
    rev_06_an_access_token_is_revoked_alone,
    rev_07_a_revocation_is_kept_as_long_as_the_token_could_live,
);
