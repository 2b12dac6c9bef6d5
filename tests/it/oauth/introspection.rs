//! Token introspection (RFC 7662).

use std::sync::Arc;

use mintmark::domain::Environment::{Production, Qa};

use mintmark::store::Sharing;

use crate::support::faulty::FaultyStore;
use crate::support::forge;
use crate::support::installation::{Installation, ORDERS, Plan, START, STOCK, also_on_sql};
use crate::support::oauth::INACTIVE;
use crate::support::registration::ALWAYS;

#[test]
fn int_01_a_token_is_asked_about_by_a_form_whatever_the_hint() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    for hint in ["", "access_token", "refresh_token", "nonsense"] {
        let request = installation
            .form(Qa, "introspect")
            .basic(&asking)
            .param("token", &token);
        let answer = request.param("token_type_hint", hint).send();
        assert_eq!(answer.json()["active"], true, "{hint}");
    }
    let by_body = installation
        .form(Qa, "introspect")
        .posting(&asking)
        .param("token", &token)
        .send();
    assert_eq!(by_body.json()["active"], true);
    let nothing = installation.form(Qa, "introspect").basic(&asking).send();
    nothing.refused(400, "invalid_request");
    let json = installation
        .form(Qa, "introspect")
        .basic(&asking)
        .header("Content-Type", "application/json");
    json.body(format!("{{\"token\":\"{token}\"}}"))
        .send()
        .refused(400, "invalid_request");
}

#[test]
fn int_02_only_resource_servers_may_ask() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let token = installation.issue(&client);
    // The very client the token was issued to has no right to introspect it.
    installation.introspect(&client, &token).refused(401, "invalid_client");
    let anonymous = installation.form(Qa, "introspect").param("token", &token);
    anonymous.send().refused(401, "invalid_client");
    let bearer = installation.form(Qa, "introspect").param("token", &token);
    let bearer = bearer.header("Authorization", &format!("Bearer {token}"));
    bearer.send().refused(401, "invalid_client");
}

#[test]
fn int_03_an_active_token_is_described_by_the_members_of_the_rfc() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let issued = installation.token(&client).param("scope", "orders:read").send();
    let answer = installation.introspect(&asking, &issued.issued());
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let expected = serde_json::json!({
        "active": true,
        "token_type": "Bearer",
        "scope": "orders:read",
        "client_id": client.client_id,
        "sub": client.client_id,
        "iss": "https://auth.example.com/qa",
        "aud": [ORDERS],
        "iat": 4_000_000_000_i64,
        "nbf": 4_000_000_000_i64,
        "exp": 4_000_000_300_i64,
        "jti": issued.claims()["jti"],
        "partnerId": "acme",
        "environment": "qa",
    });
    assert_eq!(answer.json(), expected);
}

#[test]
fn int_04_an_inactive_token_gets_one_member_and_no_reason() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert_eq!(installation.revoke(&client, &token).status, 200);
    let revoked = installation.introspect(&asking, &token);
    assert_eq!((revoked.status, revoked.text()), (200, INACTIVE));
    let malformed = installation.introspect(&asking, "x");
    assert_eq!(
        malformed.likeness(),
        revoked.likeness(),
        "nothing tells the reasons apart"
    );
}

#[test]
fn int_05_what_is_not_a_token_for_the_caller_is_inactive_and_no_error() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let elsewhere = installation.client("acme").in_production().register();
    let asking = installation.resource_server("orders").register();
    let for_stock = installation.token(&client).param("resource", STOCK).send().issued();
    let foreign_key = Installation::start().key_pair(Qa);
    let token = installation.issue(&client);
    let cases = [
        ("malformed", "x".to_owned()),
        ("empty parts", "..".to_owned()),
        ("another environment's", installation.issue(&elsewhere)),
        ("another resource server's", for_stock),
        ("a foreign issuer's", forge::with_claims(&foreign_key, &token, |_| ())),
        ("binary", "\u{0}\u{ffff}".to_owned()),
    ];
    for (what, token) in cases {
        let answer = installation.introspect(&asking, &token);
        assert_eq!((answer.status, answer.text()), (200, INACTIVE), "{what}");
    }
    assert!(installation.is_active(&asking, &token));
}

#[test]
fn int_06_time_is_looked_at_to_the_second() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(60).register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert!(installation.is_active(&asking, &token));
    installation.clock.advance(59);
    assert!(installation.is_active(&asking, &token));
    installation.clock.advance(1);
    assert!(
        !installation.is_active(&asking, &token),
        "RFC 7519 §4.1.4: on or after exp it is over"
    );
    installation.clock.set(START);
    let early = forge::with_claims(&installation.key_pair(Qa), &token, |claims| {
        claims["nbf"] = 4_000_000_001_i64.into()
    });
    assert!(!installation.is_active(&asking, &early));
    installation.clock.advance(1);
    assert!(installation.is_active(&asking, &early));
}

#[test]
fn int_06_whatever_is_disabled_makes_its_tokens_inactive_at_once() {
    let installation = Installation::start();
    let asking = installation.resource_server("orders").register();
    let client = || installation.client("acme-north").register();
    let (revoked, suspended, rotated, ours, untouched) = (client(), client(), client(), client(), client());
    let tokens = [&revoked, &suspended, &rotated, &ours, &untouched].map(|client| installation.issue(client));
    assert!(tokens.iter().all(|token| installation.is_active(&asking, token)));
    installation.revoke_client(&revoked);
    installation.suspend(&suspended);
    let second = installation.add_secret(&rotated, ALWAYS);
    installation.end_secret(&rotated, START);
    assert_eq!(installation.revoke(&ours, &tokens[3]).status, 200);
    let active = |token: &String| installation.is_active(&asking, token);
    assert_eq!(tokens.each_ref().map(active), [false, false, false, false, true]);
    assert!(
        active(&installation.issue(&second)),
        "the other secret's tokens live on"
    );
    installation.reinstate(&suspended);
    assert!(active(&tokens[1]), "reinstated, it means what it says again");
    installation.suspend_partner("acme");
    assert!(
        !active(&tokens[4]),
        "the parent partner stands still, and so does all beneath it"
    );
    installation.reinstate_partner("acme");
    assert!(active(&tokens[4]));
}

#[test]
fn int_06_the_credential_that_asks_must_be_alive_itself() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let token = installation.issue(&client);
    let suspended = installation.resource_server("orders").register();
    installation.suspend(&suspended);
    let revoked = installation.resource_server("orders").register();
    installation.revoke_client(&revoked);
    let ended = installation.resource_server("orders").register();
    installation.end_secret(&ended, START);
    for asking in [suspended, revoked, ended] {
        installation.introspect(&asking, &token).refused(401, "invalid_client");
    }
}

#[test]
fn int_07_each_resource_server_sees_its_own_scopes_as_they_stand_now() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let orders = installation.resource_server("orders").register();
    let stock = installation.resource_server("stock").register();
    let token = installation.issue(&client);
    let seen = |asking| installation.introspect(asking, &token).json()["scope"].clone();
    assert_eq!(
        (seen(&orders), seen(&stock)),
        ("orders:read orders:write".into(), "stock:read".into())
    );
    installation.narrow(&client, "orders:read stock:read");
    assert_eq!(
        (seen(&orders), seen(&stock)),
        ("orders:read".into(), "stock:read".into())
    );
    installation.narrow(&client, "stock:read");
    assert_eq!(
        installation.introspect(&orders, &token).text(),
        INACTIVE,
        "nothing of it is left there"
    );
    installation.narrow(&client, "orders:read orders:write stock:read billing:read");
    assert_eq!(
        seen(&orders),
        "orders:read orders:write",
        "never more than the token itself says"
    );
}

#[test]
fn int_08_the_answer_carries_what_a_cache_must_respect() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    let answer = installation.introspect(&asking, &token);
    assert_eq!(answer.json()["exp"], 4_000_000_300_i64);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn int_09_no_token_is_bound_to_a_key_and_none_says_so() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    let answer = installation.introspect(&asking, &token).json();
    assert_eq!((answer.get("cnf"), &answer["token_type"]), (None, &"Bearer".into()));
}

#[test]
fn int_10_no_get_and_no_cache() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    let get = installation
        .request("GET", &format!("/qa/introspect?token={token}"))
        .basic(&asking)
        .send();
    get.refused(405, "invalid_request");
    assert_eq!(get.header("allow"), Some("POST"));
    for asked in [token.as_str(), "x"] {
        assert_eq!(
            installation.introspect(&asking, asked).header("cache-control"),
            Some("no-store")
        );
    }
}

#[test]
fn int_05_each_environment_confirms_only_its_own() {
    let installation = Installation::start();
    let client = installation.client("acme").in_production().register();
    let asking = installation.resource_server("orders").in_production().register();
    let token = installation.issue(&client);
    assert!(installation.is_active(&asking, &token));
    let at_qa = installation
        .form(Qa, "introspect")
        .basic(&asking)
        .param("token", &token)
        .send();
    at_qa.refused(401, "invalid_client");
    let moved = forge::with_claims(&installation.key_pair(Production), &token, |claims| {
        claims["environment"] = "qa".into()
    });
    assert!(!installation.is_active(&asking, &moved));
}

#[test]
fn int_06_a_token_that_ends_while_the_store_is_waited_for_is_not_confirmed() {
    let store = FaultyStore::new(Sharing::Sole);
    let plan = Plan {
        store: Arc::new(store.clone()),
        ..Plan::default()
    };
    let installation = plan.start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert!(
        installation.is_active(&asking, &token),
        "from here on both clients are remembered, until one is changed"
    );
    for (waited, active) in [(299, true), (1, false)] {
        installation.narrow(&client, "orders:read");
        let clock = Arc::clone(&installation.clock);
        store.meanwhile(move || clock.advance(waited));
        assert_eq!(installation.is_active(&asking, &token), active);
    }
}

also_on_sql!(
    int_03_an_active_token_is_described_by_the_members_of_the_rfc,
    int_05_what_is_not_a_token_for_the_caller_is_inactive_and_no_error,
    int_06_time_is_looked_at_to_the_second,
    int_06_whatever_is_disabled_makes_its_tokens_inactive_at_once,
    int_06_the_credential_that_asks_must_be_alive_itself,
    int_07_each_resource_server_sees_its_own_scopes_as_they_stand_now,
    int_05_each_environment_confirms_only_its_own,
);
