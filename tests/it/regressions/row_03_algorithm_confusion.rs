//! The header talks the verifier into another algorithm than the key's (CVE-2026-22817, CVE-2026-44699).

use mintmark::domain::Algorithm;
use mintmark::domain::Environment::Qa;

use super::Bench;
use crate::support::forge;
use crate::support::installation::Plan;
use crate::support::oauth::claims_of;

#[test]
fn no_key_serves_an_algorithm_that_is_not_its_own() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::of(Plan {
            algorithm,
            ..Plan::default()
        });
        for named in [
            "ES256", "EdDSA", "RS256", "PS256", "Ed25519", "ES384", "ES512", "RS384", "RS512", "PS512", "HS256",
            "HS384", "HS512", "es256", "eddsa", "rs256", "ES256 ", "ES256K", "", "none",
        ] {
            if named != algorithm.as_str() {
                let forged = forge::with_header(&bench.key, &bench.token, |header| header["alg"] = named.into());
                bench.rejects(&format!("{algorithm} as {named}"), &forged);
            }
        }
        for named in [
            serde_json::json!(null),
            serde_json::json!(["ES256"]),
            serde_json::json!(256),
        ] {
            let forged = forge::with_header(&bench.key, &bench.token, |header| header["alg"] = named);
            bench.rejects("an algorithm that is no text", &forged);
        }
    }
}

#[test]
fn a_public_key_is_no_hmac_secret() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::of(Plan {
            algorithm,
            ..Plan::default()
        });
        let jwk = serde_json::to_value(bench.key.jwk()).unwrap();
        let set = bench.installation.get("/qa/jwks").body;
        let mut secrets: Vec<Vec<u8>> = vec![Vec::new(), jwk.to_string().into_bytes(), set];
        for member in ["x", "y", "n", "e", "kid"] {
            if let Some(text) = jwk[member].as_str() {
                secrets.push(text.as_bytes().to_vec());
                secrets.push(base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, text).unwrap());
            }
        }
        let claims = claims_of(&bench.token).to_string();
        for named in ["HS256", algorithm.as_str()] {
            let mut header = forge::header(&bench.key);
            header["alg"] = named.into();
            for secret in &secrets {
                bench.rejects(named, &forge::keyed(secret, &header.to_string(), &claims));
            }
        }
    }
}

#[test]
fn two_published_keys_do_not_stand_in_for_each_other() {
    let bench = Bench::new();
    bench.installation.rotate_key(Qa, Algorithm::Rs256);
    let newer = bench.installation.key_pair(Qa);
    assert!(
        bench.confirms(&bench.token),
        "the older key still verifies what it signed"
    );
    assert!(bench.confirms(&forge::with_claims(&newer, &bench.token, |_| ())));
    let claims = claims_of(&bench.token).to_string();
    for (signs, named) in [(&bench.key, &newer), (&newer, &bench.key)] {
        bench.rejects(
            "another key's name",
            &forge::signed(signs, &forge::header(named).to_string(), &claims),
        );
        let mut header = forge::header(signs);
        header["kid"] = named.jwk().key_id().as_str().into();
        bench.rejects(
            "its own algorithm, another key's name",
            &forge::signed(signs, &header.to_string(), &claims),
        );
    }
}
