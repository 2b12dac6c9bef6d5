//! The JWK set (RFC 7517), and how caches may keep it (RFC 9110, RFC 9111).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mintmark::domain::Environment::{Production, Qa};
use mintmark::domain::{Algorithm, sha256};
use serde_json::Value;

use crate::support::installation::Installation;
use crate::support::oauth::header_of;

fn keys(installation: &Installation, environment: &str) -> Vec<Value> {
    let answer = installation.get(&format!("/{environment}/jwks"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["keys"].as_array().expect("keys is an array").clone()
}

#[test]
fn jwk_01_the_set_is_served_as_json_to_anybody() {
    let installation = Installation::start();
    let answer = installation.get("/qa/jwks");
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    let members: Vec<_> = answer.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["keys"]);
    let head = installation.request("HEAD", "/qa/jwks").send();
    assert_eq!(
        (head.status, head.text(), head.header("etag")),
        (200, "", answer.header("etag"))
    );
    let post = installation.request("POST", "/qa/jwks").send();
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn jwk_02_each_key_has_a_name_an_algorithm_and_a_use() {
    let installation = Installation::start();
    installation.rotate_key(Qa, Algorithm::EdDsa);
    installation.rotate_key(Qa, Algorithm::Rs256);
    let keys = keys(&installation, "qa");
    let told: Vec<_> = keys
        .iter()
        .map(|key| (key["kty"].as_str(), key["alg"].as_str(), key["use"].as_str()))
        .collect();
    let expected = [("EC", "ES256"), ("OKP", "EdDSA"), ("RSA", "RS256")];
    assert_eq!(told, expected.map(|(kty, alg)| (Some(kty), Some(alg), Some("sig"))));
    let mut names: Vec<_> = keys.iter().map(|key| key["kid"].to_string()).collect();
    names.dedup();
    assert_eq!(names.len(), 3);
    let client = installation.client("acme").register();
    assert_eq!(
        header_of(&installation.issue(&client))["kid"],
        keys[2]["kid"],
        "the last one signs"
    );
}

#[test]
fn jwk_02_each_environment_has_keys_of_its_own() {
    let installation = Installation::start();
    let (qa, production) = (keys(&installation, "qa"), keys(&installation, "production"));
    assert_eq!((qa.len(), production.len()), (1, 1));
    assert_ne!(qa[0]["kid"], production[0]["kid"]);
    installation.revoke_key(Production);
    assert_eq!(
        (keys(&installation, "qa").len(), keys(&installation, "production").len()),
        (1, 0)
    );
}

#[test]
fn jwk_03_no_private_or_symmetric_member_is_ever_served() {
    for algorithm in Algorithm::ALL {
        let installation = Installation::signing_with(algorithm);
        for key in keys(&installation, "qa") {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
                assert_eq!(key.get(private), None, "{algorithm}");
            }
        }
    }
}

#[test]
fn jwk_04_an_ordinary_consumer_knows_every_key_of_the_set() {
    for algorithm in Algorithm::ALL {
        let installation = Installation::signing_with(algorithm);
        let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&installation.get("/qa/jwks").body).unwrap();
        for key in &set.keys {
            assert!(key.is_supported(), "{algorithm}");
            assert!(jsonwebtoken::DecodingKey::from_jwk(key).is_ok(), "{algorithm}");
        }
    }
}

#[test]
fn jwk_05_the_name_of_a_key_is_its_thumbprint() {
    for algorithm in Algorithm::ALL {
        let installation = Installation::signing_with(algorithm);
        let key = &keys(&installation, "qa")[0];
        let text = |member: &str| key[member].as_str().unwrap();
        // RFC 7638 §3.2 and RFC 8037 §2: the required members only, in the order of their names, without white space.
        let canonical = match text("kty") {
            "EC" => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                text("x"),
                text("y")
            ),
            "OKP" => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text("x")),
            "RSA" => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text("e"), text("n")),
            other => panic!("{other}"),
        };
        assert_eq!(
            text("kid"),
            URL_SAFE_NO_PAD.encode(sha256(&[canonical.as_bytes()])),
            "{algorithm}"
        );
    }
}

#[test]
fn htp_05_caches_keep_the_documents_and_ask_by_their_tag() {
    let installation = Installation::start();
    for path in [
        "/qa/jwks",
        "/qa/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/qa",
    ] {
        let answer = installation.get(path);
        assert_eq!(answer.header("cache-control"), Some("public, max-age=600"));
        let etag = answer.header("etag").unwrap().to_owned();
        let asked = |tags: &str| installation.request("GET", path).header("If-None-Match", tags).send();
        for known in [
            etag.clone(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            "*".to_owned(),
        ] {
            let same = asked(&known);
            assert_eq!((same.status, same.text()), (304, ""), "{known}");
            assert_eq!(same.header("etag"), Some(etag.as_str()));
            assert_eq!(same.header("cache-control"), Some("public, max-age=600"));
        }
        for unknown in ["\"other\"", "", &etag[1..], &etag[..etag.len() - 1]] {
            assert_eq!(asked(unknown).status, 200, "{unknown}");
        }
    }
    let before = installation.get("/qa/jwks");
    installation.rotate_key(Qa, Algorithm::Es256);
    let request = installation
        .request("GET", "/qa/jwks")
        .header("If-None-Match", before.header("etag").unwrap());
    assert_eq!(request.send().status, 200, "another set has another tag");
}
