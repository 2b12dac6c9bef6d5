//! Coalescing: the young token again, for the same request, while nothing has changed; and otherwise never.

use mintmark::domain::Environment::Qa;
use mintmark::domain::{Algorithm, Allowance, Mutation, Seconds, TokenCount};

use super::limits::rate;
use super::quota::enforce;
use crate::support::installation::{Installation, ORDERS, Plan, START, STOCK};
use crate::support::registration::ALWAYS;

/// Where a token is handed again until it is 30 s old.
fn coalescing() -> Installation {
    Plan {
        coalesce: Some(Seconds(30)),
        ..Plan::default()
    }
    .start()
}

#[test]
fn unless_it_was_chosen_each_request_gets_a_token_of_its_own() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    assert_ne!(installation.issue(&client), installation.issue(&client));
}

#[test]
fn the_same_request_gets_the_same_token_while_it_is_young() {
    let installation = coalescing();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let first = installation.token(&client).send();
    assert_eq!(first.json()["expires_in"], 300);
    installation.clock.advance(29);
    let again = installation.token(&client).send();
    assert_eq!(again.issued(), first.issued());
    let mut expected = first.json();
    expected["expires_in"] = 271.into();
    assert_eq!(again.json(), expected);
    assert!(installation.is_active(&asking, &again.issued()));
    let by_body = installation.form(Qa, "token").posting(&client);
    let by_body = by_body.param("grant_type", "client_credentials").send();
    assert_eq!(by_body.issued(), first.issued());
    assert!(
        installation
            .registry
            .metrics()
            .render()
            .contains("mintmark_tokens_coalesced_total 2\n")
    );
    installation.clock.advance(1);
    let later = installation.token(&client).send();
    assert_ne!(later.issued(), first.issued());
    assert_eq!(later.json()["expires_in"], 300);
}

#[test]
fn a_token_with_less_than_half_of_its_time_is_not_handed_again() {
    let installation = Plan {
        coalesce: Some(Seconds(300)),
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").token_lifetime(60).register();
    let first = installation.issue(&client);
    installation.clock.advance(30);
    assert_eq!(installation.issue(&client), first);
    installation.clock.advance(1);
    assert_ne!(installation.issue(&client), first);
}

#[test]
fn another_request_gets_another_token() {
    let installation = coalescing();
    let client = installation.client("acme").register();
    let elsewhere = installation.client("acme").in_production().register();
    let sibling = installation.client("acme").register();
    let second_secret = installation.add_secret(&client, ALWAYS);
    let asked = [
        installation.token(&client),
        installation.token(&client).param("scope", "orders:read"),
        installation.token(&client).param("resource", ORDERS),
        installation.token(&client).param("resource", STOCK),
        installation.token(&second_secret),
        installation.token(&sibling),
        installation.token(&elsewhere),
    ];
    let tokens: Vec<_> = asked.iter().map(|request| request.clone().send().issued()).collect();
    for (at, token) in tokens.iter().enumerate() {
        assert!(!tokens[..at].contains(token), "request {at}");
        assert_eq!(asked[at].clone().send().issued(), *token, "request {at}, asked again");
    }
    // What is granted counts, not how it was asked for.
    let spelt_out = installation.token(&client).param("scope", "orders:write orders:read");
    let other_order = installation.token(&client).param("scope", "orders:read orders:write");
    assert_eq!(spelt_out.send().issued(), other_order.send().issued());
}

#[test]
fn whatever_changes_about_the_client_ends_the_sharing() {
    let installation = coalescing();
    let client = installation.client("acme-north").register();
    let mut last = installation.issue(&client);
    let changes: [(&str, &dyn Fn()); 4] = [
        ("the client", &|| installation.narrow(&client, "orders:read stock:read")),
        ("its partner's parent", &|| {
            installation.commit(Mutation::PartnerChanged(installation.partner("acme")))
        }),
        ("an API", &|| {
            installation.commit(Mutation::ApiChanged(installation.api(Qa, "stock")))
        }),
        ("the keys", &|| installation.rotate_key(Qa, Algorithm::EdDsa)),
    ];
    for (what, change) in changes {
        assert_eq!(installation.issue(&client), last, "before {what} changed");
        change();
        let next = installation.issue(&client);
        assert_ne!(next, last, "{what}");
        last = next;
    }
    installation.suspend(&client);
    installation.token(&client).send().refused(401, "invalid_client");
    installation.reinstate(&client);
    assert_ne!(installation.issue(&client), last);
    installation.end_secret(&client, START);
    installation.token(&client).send().refused(401, "invalid_client");
}

#[test]
fn a_shared_token_that_is_revoked_ends_for_all_and_is_handed_to_nobody() {
    let installation = coalescing();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let (one, other) = (installation.issue(&client), installation.issue(&client));
    assert_eq!(one, other);
    assert_eq!(installation.revoke(&client, &one).status, 200);
    assert!(!installation.is_active(&asking, &other));
    let next = installation.issue(&client);
    assert_ne!(next, one);
    assert!(installation.is_active(&asking, &next));
    assert_eq!(installation.issue(&client), next);
}

#[test]
fn where_memory_cannot_tell_what_is_revoked_another_is_signed_and_the_store_is_not_asked() {
    let installation = Plan {
        coalesce: Some(Seconds(30)),
        revoked: 1,
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").register();
    for _ in 0..2 {
        let token = installation.issue(&client);
        assert_eq!(installation.revoke(&client, &token).status, 200);
    }
    assert_ne!(installation.issue(&client), installation.issue(&client));
    let metrics = installation.registry.metrics().render();
    assert!(metrics.contains("mintmark_revoked_token_reads_total 0\n"), "{metrics}");
}

#[test]
fn a_token_that_is_handed_again_counts_for_the_rate_and_for_no_quota() {
    let installation = coalescing();
    let limits = Allowance {
        tokens_per_day: Some(TokenCount::try_from(2).unwrap()),
        ..rate(1, 5)
    };
    enforce(&installation, Allowance::UNBOUNDED, limits);
    let client = installation.client("acme").register();
    let first = installation.issue(&client);
    let refused = loop {
        let answer = installation.token(&client).send();
        if answer.status != 200 {
            break answer;
        }
        assert_eq!(answer.issued(), first);
        let left = answer.header("ratelimit").unwrap();
        assert!(left.ends_with(", \"client-day\";r=1"), "{left}");
    };
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(refused.header("ratelimit-policy"), Some("\"client-rate\";q=5;w=5"));
}
