//! Authorization server metadata (RFC 8414): true, complete, and where clients look for it.

use mintmark::domain::Algorithm;
use mintmark::domain::Environment::{Production, Qa};
use serde_json::{Value, json};

use crate::support::installation::{Installation, PUBLIC_URL, Plan};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server/qa";

fn metadata(installation: &Installation) -> Value {
    let answer = installation.get(WELL_KNOWN);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[test]
fn met_01_the_metadata_stands_between_the_host_and_the_path_of_the_issuer() {
    let installation = Installation::start();
    for environment in ["qa", "production"] {
        let answer = installation.get(&format!("/.well-known/oauth-authorization-server/{environment}"));
        assert_eq!(answer.json()["issuer"], format!("{PUBLIC_URL}/{environment}"));
        let behind = installation.get(&format!("/{environment}/.well-known/oauth-authorization-server"));
        assert_eq!(behind.status, 404, "and not behind the path");
    }
    assert_eq!(installation.get("/.well-known/oauth-authorization-server").status, 404);
    assert_eq!(
        installation
            .get("/.well-known/oauth-authorization-server/staging")
            .status,
        404
    );
}

#[test]
fn met_02_the_issuer_is_https_and_the_very_text_of_iss() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let issuer = metadata(&installation)["issuer"].clone();
    assert_eq!(issuer, "https://auth.example.com/qa");
    assert_eq!(installation.token(&client).send().claims()["iss"], issuer);
}

#[test]
fn met_03_the_document_is_json_without_empty_arrays() {
    let installation = Installation::start();
    let answer = installation.get(WELL_KNOWN);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json();
    assert!(
        document.as_object().unwrap().values().all(|value| *value != json!([])),
        "{document}"
    );
    let post = installation.request("POST", WELL_KNOWN).send();
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
    assert_eq!(post.header("content-type"), Some("application/problem+json"));
}

#[test]
fn met_04_the_token_endpoint_is_named_and_no_authorization_endpoint() {
    let installation = Installation::start();
    let document = metadata(&installation);
    assert_eq!(document["token_endpoint"], "https://auth.example.com/qa/token");
    assert_eq!(document.get("authorization_endpoint"), None);
}

#[test]
fn tok_26_met_04_no_endpoint_has_a_fragment() {
    let document = metadata(&Installation::start());
    let endpoints = document
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.ends_with("_endpoint"));
    let endpoints: Vec<_> = endpoints.map(|(_, url)| url.as_str().unwrap().to_owned()).collect();
    assert_eq!(endpoints.len(), 3);
    assert!(endpoints.iter().all(|url| !url.contains(['#', '?'])), "{endpoints:?}");
}

#[test]
fn met_05_response_types_are_left_out_unless_the_settings_ask_for_them() {
    assert_eq!(metadata(&Installation::start()).get("response_types_supported"), None);
    let installation = Plan {
        response_types: true,
        ..Plan::default()
    }
    .start();
    assert_eq!(metadata(&installation)["response_types_supported"], json!([]));
}

#[test]
fn met_06_the_grant_types_are_explicit() {
    assert_eq!(
        metadata(&Installation::start())["grant_types_supported"],
        json!(["client_credentials"])
    );
}

#[test]
fn met_07_the_authentication_methods_are_explicit_at_every_endpoint() {
    let document = metadata(&Installation::start());
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
        assert_eq!(*methods, json!(["client_secret_basic", "client_secret_post"]));
        // No method signs, so no list of algorithms goes with it.
        assert_eq!(
            document.get(format!("{endpoint}_endpoint_auth_signing_alg_values_supported")),
            None
        );
    }
}

#[test]
fn met_08_the_jwk_set_is_at_an_https_address() {
    assert_eq!(
        metadata(&Installation::start())["jwks_uri"],
        "https://auth.example.com/qa/jwks"
    );
}

#[test]
fn met_09_what_else_there_is_is_named() {
    let installation = Installation::start();
    let document = metadata(&installation);
    assert_eq!(
        document["introspection_endpoint"],
        "https://auth.example.com/qa/introspect"
    );
    assert_eq!(document["revocation_endpoint"], "https://auth.example.com/qa/revoke");
    assert_eq!(
        document["scopes_supported"],
        json!(["billing:read", "orders:read", "orders:write", "stock:read"])
    );
}

#[test]
fn met_10_libraries_of_openid_connect_find_the_same_document() {
    let installation = Installation::start();
    for environment in ["qa", "production"] {
        let own = installation.get(&format!("/.well-known/oauth-authorization-server/{environment}"));
        let alias = installation.get(&format!("/{environment}/.well-known/openid-configuration"));
        assert_eq!(alias.likeness(), own.likeness());
    }
}

#[test]
fn met_11_all_that_is_advertised_works() {
    let installation = Installation::start();
    let document = metadata(&installation);
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let path = |member: &str| {
        document[member]
            .as_str()
            .unwrap()
            .strip_prefix(PUBLIC_URL)
            .unwrap()
            .to_owned()
    };
    for method in document["token_endpoint_auth_methods_supported"].as_array().unwrap() {
        let presented = |member: &str, credentials| {
            let request = installation.request("POST", &path(member));
            match method.as_str().unwrap() {
                "client_secret_basic" => request.basic(credentials),
                "client_secret_post" => request.posting(credentials),
                other => panic!("{other} is advertised and unknown to this test"),
            }
        };
        for grant in document["grant_types_supported"].as_array().unwrap() {
            let answer = presented("token_endpoint", &client)
                .param("grant_type", grant.as_str().unwrap())
                .send();
            let token = answer.issued();
            let asked = || {
                presented("introspection_endpoint", &asking)
                    .param("token", &token)
                    .send()
                    .json()
            };
            assert_eq!(asked()["active"], true);
            assert_eq!(
                presented("revocation_endpoint", &client)
                    .param("token", &token)
                    .send()
                    .status,
                200
            );
            assert_eq!(asked()["active"], false);
        }
    }
    assert!(
        !installation.get(&path("jwks_uri")).json()["keys"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for scope in document["scopes_supported"].as_array().unwrap() {
        let scope = scope.as_str().unwrap();
        let answer = installation.token(&client).param("scope", scope).send();
        let expected = if scope == "billing:read" { 400 } else { 200 };
        assert_eq!(answer.status, expected, "{scope}");
    }
}

#[test]
fn met_11_all_that_is_not_advertised_is_refused() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    for grant in [
        "password",
        "authorization_code",
        "implicit",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let request = installation.form(Qa, "token").basic(&client).param("grant_type", grant);
        request.send().refused(400, "unsupported_grant_type");
    }
    let assertion = installation.form(Qa, "token").param("grant_type", "client_credentials");
    let assertion = assertion
        .param("client_id", &client.client_id)
        .param("client_assertion", "a.b.c");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    assertion
        .param("client_assertion_type", kind)
        .send()
        .refused(401, "invalid_client");
    let nothing = installation.form(Qa, "token").param("grant_type", "client_credentials");
    nothing
        .param("client_id", &client.client_id)
        .send()
        .refused(401, "invalid_client");
    for path in [
        "/qa/authorize",
        "/qa/register",
        "/qa/userinfo",
        "/qa/par",
        "/qa/device",
        "/qa/",
        "/qa",
        "/",
        "/token",
    ] {
        let answer = installation.get(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, Some("application/problem+json")),
            "{path}"
        );
    }
    installation.rotate_key(Production, Algorithm::Ps256);
    let qa = installation.get("/qa/jwks").json();
    assert_eq!(
        qa["keys"].as_array().unwrap().len(),
        1,
        "what happens in production is not seen in QA: {qa}"
    );
}
