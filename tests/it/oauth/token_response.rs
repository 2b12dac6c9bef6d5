//! The token response (RFC 6749 §5.1).

use std::sync::Mutex;

use mintmark::ambient::Entropy;
use mintmark::domain::Environment::Qa;
use mintmark::domain::{Secret, SecretId, SecretKind, TokenId};

use crate::support::installation::Installation;

#[test]
fn tok_13_secrets_and_tokens_carry_enough_chance_to_be_unguessable() {
    struct Counted(Mutex<usize>);
    impl Entropy for Counted {
        fn fill(&self, bytes: &mut [u8]) {
            *self.0.lock().unwrap() += bytes.len();
            bytes.fill(7);
        }
    }
    let drawn = |mint: &dyn Fn(&Counted)| {
        let entropy = Counted(Mutex::new(0));
        mint(&entropy);
        *entropy.0.lock().unwrap()
    };
    let secret = drawn(&|entropy| drop(Secret::mint(SecretKind::Client(Qa), entropy)));
    assert!(secret * 8 >= 160, "{secret} bytes of chance in a secret");
    let secret_id: SecretId = "0000000000000000".parse().unwrap();
    let jti = drawn(&|entropy| drop(TokenId::mint(&secret_id, entropy)));
    assert!(jti * 8 >= 128, "{jti} bytes of chance in a jti, beside the signature");
}

#[test]
fn tok_16_the_answer_says_what_was_granted() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let scope_of = |request: crate::support::oauth::Request<'_>| request.send().json()["scope"].clone();
    assert_eq!(
        scope_of(installation.token(&client)),
        "orders:read orders:write stock:read"
    );
    assert_eq!(
        scope_of(installation.token(&client).param("scope", "stock:read")),
        "stock:read"
    );
}

#[test]
fn tok_20_there_is_no_refresh_token() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let answer = installation.token(&client).send().json();
    let members: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["access_token", "expires_in", "scope", "token_type"]);
    let request = installation
        .form(Qa, "token")
        .basic(&client)
        .param("grant_type", "refresh_token");
    request
        .param("refresh_token", "x")
        .send()
        .refused(400, "unsupported_grant_type");
}

#[test]
fn tok_21_the_answer_is_json_with_the_members_of_the_rfc() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(900).register();
    let answer = installation.token(&client).send();
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let body = answer.json();
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["expires_in"].as_u64(), Some(900), "a number, not a text");
    assert_eq!(answer.issued().split('.').count(), 3);
}

#[test]
fn tok_22_no_answer_with_a_token_or_a_refusal_is_kept_by_a_cache() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let issued = installation.token(&client).send();
    let token = issued.issued();
    let answers = [
        issued,
        installation.introspect(&asking, &token),
        installation.introspect(&asking, "x"),
        installation.revoke(&client, &token),
        installation.form(Qa, "token").send(),
        installation.request("PUT", "/qa/token").send(),
    ];
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
        assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:?}");
    }
}
