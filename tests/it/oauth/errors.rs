//! Errors of the token endpoint (RFC 6749 §5.2, RFC 6585).

use std::time::Duration;

use mintmark::domain::Environment::Qa;
use mintmark::store::Sharing;

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan};
use crate::support::oauth::Request;

#[test]
fn tok_23_each_fault_has_the_error_code_of_the_rfc() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let granted = |client, grant_type: &str| -> Request<'_> {
        installation
            .form(Qa, "token")
            .basic(client)
            .param("grant_type", grant_type)
    };
    installation
        .form(Qa, "token")
        .basic(&client)
        .send()
        .refused(400, "invalid_request");
    for unknown in [
        "CLIENT_CREDENTIALS",
        "client_credentials ",
        "authorization_code",
        "magic",
        "\u{0}",
    ] {
        granted(&client, unknown).send().refused(400, "unsupported_grant_type");
    }
    granted(&asking, "client_credentials")
        .send()
        .refused(400, "unauthorized_client");
    granted(&client, "client_credentials")
        .param("scope", "x")
        .send()
        .refused(400, "invalid_scope");
    granted(&client, "client_credentials")
        .param("resource", "x")
        .send()
        .refused(400, "invalid_target");
}

#[test]
fn tok_23_bcp_03_there_is_no_password_grant() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation
        .form(Qa, "token")
        .basic(&client)
        .param("grant_type", "password");
    request
        .param("username", "a")
        .param("password", "b")
        .send()
        .refused(400, "unsupported_grant_type");
}

#[test]
fn tok_25_what_an_error_says_is_printable_and_its_own() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    // `refused` looks at every character; here every description there is gets its turn.
    let marked = "zq7-\"\\\u{7}é-mark";
    let requests = [
        (installation.token(&client).param("scope", marked), 400, "invalid_scope"),
        (
            installation.token(&client).param("scope", &"x".repeat(129)),
            400,
            "invalid_scope",
        ),
        (
            installation.token(&client).param("scope", &"x ".repeat(300)),
            400,
            "invalid_scope",
        ),
        (
            installation.token(&client).param("resource", marked),
            400,
            "invalid_target",
        ),
        (
            installation.token(&client).param("resource", "https://x#zq7"),
            400,
            "invalid_target",
        ),
        (
            installation.token(&client).param("resource", "https://x?zq7"),
            400,
            "invalid_target",
        ),
        (
            installation
                .token(&client)
                .param("resource", &format!("https://{}", "x".repeat(600))),
            400,
            "invalid_target",
        ),
        (
            installation
                .form(Qa, "token")
                .basic(&client)
                .param("grant_type", marked),
            400,
            "unsupported_grant_type",
        ),
        (
            installation.token(&client).param("client_id", marked),
            400,
            "invalid_request",
        ),
        (installation.token(&client).raw("zq7=%"), 400, "invalid_request"),
        (installation.token(&client).raw("zq7=1&zq7=2"), 400, "invalid_request"),
        (
            installation.token(&client).raw(&"&a".repeat(70)),
            400,
            "invalid_request",
        ),
        (
            installation.token(&client).body(vec![b'z'; 70_000]),
            413,
            "invalid_request",
        ),
        (
            installation.form(Qa, "token").param("client_secret", marked),
            400,
            "invalid_request",
        ),
        (
            installation.form(Qa, "token").basic_octets(b"zq7"),
            401,
            "invalid_client",
        ),
    ];
    for (request, status, error) in requests {
        let answer = request.send();
        answer.refused(status, error);
        assert!(!answer.text().contains("zq7"), "{}", answer.text());
    }
}

#[test]
fn tok_28_an_overload_is_said_in_oauth_json_with_a_time_to_come_back() {
    let store = FaultyStore::new(Sharing::Shared);
    let plan = Plan {
        store: std::sync::Arc::new(store.clone()),
        patience: Duration::from_secs(10),
        ..Plan::default()
    };
    let installation = plan.start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    store.set(Fault::Unreadable);
    let answers = [
        installation.token(&client).send(),
        installation.introspect(&asking, &token),
        installation.revoke(&client, &token),
        installation.get("/qa/jwks"),
        installation.get("/qa/.well-known/openid-configuration"),
    ];
    for answer in answers {
        answer.refused(503, "temporarily_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    store.set(Fault::Nothing);
    assert_eq!(installation.token(&client).send().status, 200);
    assert!(installation.is_active(&asking, &token));
}

#[test]
fn tok_28_without_a_signing_key_nothing_is_issued() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    installation.revoke_key(Qa);
    let answer = installation.token(&client).send();
    answer.refused(503, "temporarily_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}
