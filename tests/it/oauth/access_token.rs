//! The JWT access token (RFC 9068): what it says, and that others read it as we do.

use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, TokenData, Validation, decode, decode_header};
use mintmark::ambient::Clock as _;
use mintmark::domain::{Algorithm, Environment, Seconds};
use serde_json::{Value, json};

use crate::support::forge;
use crate::support::installation::{Installation, ORDERS, STOCK};
use crate::support::oauth::{claims_of, header_of};

/// Verifies a token as a resource server would that has never heard of us: the key from the JWK set, by the library's ordinary
/// door, with the checks RFC 9068 §4 asks of it.
fn verified_elsewhere(
    installation: &Installation,
    token: &str,
) -> Result<TokenData<Value>, jsonwebtoken::errors::Error> {
    let set: JwkSet = serde_json::from_slice(&installation.get("/qa/jwks").body).unwrap();
    let header = decode_header(token)?;
    let key = set
        .find(header.kid.as_deref().unwrap_or_default())
        .expect("the key is published");
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[ORDERS]);
    validation.set_issuer(&["https://auth.example.com/qa"]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    validation.leeway = 0;
    decode(token, &DecodingKey::from_jwk(key)?, &validation)
}

#[test]
fn atj_01_the_type_is_at_jwt() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    assert_eq!(header_of(&installation.issue(&client))["typ"], "at+jwt");
}

#[test]
fn atj_02_every_algorithm_signs_and_others_verify_it() {
    for algorithm in Algorithm::ALL {
        let installation = Installation::signing_with(algorithm);
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let token = installation.issue(&client);
        let data = verified_elsewhere(&installation, &token).unwrap();
        assert_eq!(data.claims["client_id"], client.client_id.as_str());
        assert_eq!(header_of(&token)["alg"], algorithm.as_str());
        assert_eq!(data.header.typ.as_deref(), Some("at+jwt"));
        assert!(installation.is_active(&asking, &token), "{algorithm}");
        let altered = forge_payload(&token);
        assert!(verified_elsewhere(&installation, &altered).is_err(), "{algorithm}");
        assert!(!installation.is_active(&asking, &altered), "{algorithm}");
    }
}

/// The same token with another scope under the old signature.
fn forge_payload(token: &str) -> String {
    let mut claims = claims_of(token);
    claims["scope"] = "orders:read".into();
    let signature = token.rsplit_once('.').unwrap().1;
    let unsigned = forge::signing_input(&header_of(token).to_string(), &claims.to_string());
    format!("{unsigned}.{signature}")
}

#[test]
fn atj_02_none_is_no_algorithm_and_rs256_is_one() {
    assert!("none".parse::<Algorithm>().is_err() && "NONE".parse::<Algorithm>().is_err());
    assert_eq!("RS256".parse(), Ok(Algorithm::Rs256));
}

#[test]
fn atj_03_the_claims_are_those_promised_and_no_others() {
    let installation = Installation::start();
    let client = installation.client("acme-north").token_lifetime(600).register();
    let claims = installation.token(&client).param("scope", "stock:read").send().claims();
    let expected = json!({
        "iss": "https://auth.example.com/qa",
        "sub": client.client_id,
        "aud": STOCK,
        "client_id": client.client_id,
        "iat": 4_000_000_000_i64,
        "nbf": 4_000_000_000_i64,
        "exp": 4_000_000_600_i64,
        "jti": claims["jti"],
        "scope": "stock:read",
        "partnerId": "acme-north",
        "environment": "qa",
    });
    assert_eq!(claims, expected);
    let jti = claims["jti"].as_str().unwrap();
    assert!(
        jti.starts_with(&format!("{}.", client.secret_id)),
        "it begins with the secret that obtained it: {jti}"
    );
}

#[test]
fn atj_03_no_two_tokens_share_a_jti() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let jtis: BTreeSet<_> = (0..50)
        .map(|_| installation.token(&client).send().claims()["jti"].to_string())
        .collect();
    assert_eq!(jtis.len(), 50);
}

#[test]
fn atj_03_no_token_outlives_its_client() {
    let installation = Installation::start();
    let now = installation.clock.now();
    let client = installation
        .client("acme")
        .token_lifetime(600)
        .expires_at(now + Seconds(30))
        .register();
    let answer = installation.token(&client).send();
    assert_eq!(answer.json()["expires_in"], 30);
    assert_eq!(answer.claims()["exp"], (now + Seconds(30)).seconds());
}

#[test]
fn atj_04_the_subject_is_the_client() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let claims = installation.token(&client).send().claims();
    assert_eq!(
        (&claims["sub"], &claims["client_id"]),
        (&claims["client_id"], &client.client_id.into())
    );
}

#[test]
fn atj_05_the_scope_is_said_as_one_text() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation.token(&client).param("scope", "orders:write orders:read");
    assert_eq!(request.send().claims()["scope"], "orders:read orders:write");
}

#[test]
fn atj_06_no_roles_groups_or_entitlements_are_claimed() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let claims = installation.token(&client).send().claims();
    for claim in ["roles", "groups", "entitlements"] {
        assert_eq!(claims.get(claim), None);
    }
}

#[test]
fn atj_07_the_audience_is_the_resource_asked_for_or_that_of_the_scopes() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asked = |pieces: &[(&str, &str)]| {
        let request = installation.token(&client);
        let request = pieces
            .iter()
            .fold(request, |request, (name, value)| request.param(name, value));
        request.send().claims()["aud"].clone()
    };
    assert_eq!(asked(&[("resource", ORDERS)]), ORDERS);
    assert_eq!(asked(&[("scope", "stock:read")]), STOCK);
    assert_eq!(asked(&[]), json!([ORDERS, STOCK]), "neither: all the client may have");
    assert_eq!(
        asked(&[("resource", ORDERS), ("resource", STOCK)]),
        json!([ORDERS, STOCK])
    );
}

#[test]
fn atj_08_scopes_of_several_resources_need_them_named() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = || installation.token(&client).param("scope", "orders:read stock:read");
    request().send().refused(400, "invalid_scope");
    // A resource without a scope of its own in the request would make the token say nothing to it.
    let lonely = installation
        .token(&client)
        .param("scope", "orders:read")
        .param("resource", ORDERS);
    lonely.param("resource", STOCK).send().refused(400, "invalid_scope");
    // A scope of a resource that is not named belongs to no audience of the token.
    request().param("resource", ORDERS).send().refused(400, "invalid_scope");
    let named = request().param("resource", ORDERS).param("resource", STOCK).send();
    assert_eq!(named.claims()["scope"], "orders:read stock:read");
}

#[test]
fn atj_09_each_resource_is_an_audience_of_its_own() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let audience = |resource| installation.token(&client).param("resource", resource).send().claims()["aud"].clone();
    assert_ne!(audience(ORDERS), audience(STOCK));
    let mut twin = installation.api(Environment::Qa, "stock");
    twin.audience = ORDERS.parse().unwrap();
    let refused = installation.try_commit(mintmark::domain::Mutation::ApiChanged(twin));
    assert!(refused.is_err(), "two APIs of one environment cannot share an audience");
}

#[test]
fn atj_10_a_client_cannot_choose_its_identifier_or_subject() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let request = installation
        .token(&client)
        .param("sub", "root")
        .param("client_name", "root");
    assert_eq!(request.send().claims()["sub"], client.client_id.as_str());
    let entropy = mintmark::ambient::SystemEntropy::new();
    let mint = || mintmark::domain::ClientId::mint(Environment::Production, "acme", &entropy);
    let (one, other) = (mint(), mint());
    assert!(
        one.as_str().starts_with("live-acme-") && one != other,
        "{one} and {other} are made by the server"
    );
}

#[test]
fn atj_11_every_check_of_a_resource_server_is_made_by_introspection() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    let key = installation.key_pair(Environment::Qa);
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        let forged = forge::with_header(&key, &token, |header| header["typ"] = typ.into());
        assert!(installation.is_active(&asking, &forged), "{typ}");
    }
    for typ in ["JWT", "jwt", "dpop+jwt", "at+jwt;x", ""] {
        let forged = forge::with_header(&key, &token, |header| header["typ"] = typ.into());
        assert!(!installation.is_active(&asking, &forged), "{typ}");
    }
    for (claim, value) in [
        ("iss", "https://auth.example.com/qa/"),
        ("iss", "https://AUTH.example.com/qa"),
        ("iss", "https://auth.example.com/production"),
        ("aud", "https://api.example.com/orders/"),
        ("aud", STOCK),
    ] {
        let forged = forge::with_claims(&key, &token, |claims| claims[claim] = value.into());
        assert!(!installation.is_active(&asking, &forged), "{claim} {value}");
    }
    assert!(installation.is_active(&asking, &forge::with_claims(&key, &token, |_| ())));
}

#[test]
fn atj_12_the_answer_tells_the_client_all_it_needs_without_reading_the_token() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(120).register();
    let answer = installation.token(&client).send();
    let (body, claims) = (answer.json(), answer.claims());
    let lifetime = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!((body["expires_in"].as_i64(), lifetime), (Some(120), 120));
    assert_eq!(body["scope"], claims["scope"]);
}
