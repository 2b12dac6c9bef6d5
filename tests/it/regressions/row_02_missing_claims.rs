//! A token that lacks a claim it must have (GHSA-wxg7-w2v3-w38g), under a signature that is right.

use serde_json::{Value, json};

use super::Bench;
use crate::support::forge;
use crate::support::oauth::claims_of;

#[test]
fn each_claim_taken_out_in_turn_makes_the_token_worthless() {
    let bench = Bench::new();
    let claims: Vec<String> = claims_of(&bench.token).as_object().unwrap().keys().cloned().collect();
    assert_eq!(claims.len(), 11);
    for claim in &claims {
        let changed = |value: Option<Value>| {
            forge::with_claims(&bench.key, &bench.token, |claims| {
                let claims = claims.as_object_mut().unwrap();
                claims.remove(claim);
                claims.extend(value.map(|value| (claim.clone(), value)));
            })
        };
        bench.rejects(claim, &changed(None));
        for wrong in [
            json!(null),
            json!(""),
            json!(-1),
            json!([]),
            json!({}),
            json!(["x"]),
            json!(true),
        ] {
            bench.rejects(&format!("{claim}: {wrong}"), &changed(Some(wrong)));
        }
    }
}

#[test]
fn claims_that_contradict_each_other_or_the_registry_make_the_token_worthless() {
    let bench = Bench::new();
    let other = bench.installation.client("globex").register();
    for (claim, value) in [
        ("sub", other.client_id.as_str()),
        ("client_id", other.client_id.as_str()),
        ("partnerId", "globex"),
        ("environment", "production"),
        ("jti", "0000000000000000.AAAAAAAAAAAAAAAAAAAAAA"),
        ("jti", "x"),
        ("scope", "billing:read"),
        ("scope", " orders:read"),
        ("iss", "https://auth.example.com/production"),
        ("iss", "https://evil.example.com/qa"),
    ] {
        let forged = forge::with_claims(&bench.key, &bench.token, |claims| claims[claim] = value.into());
        bench.rejects(&format!("{claim}: {value}"), &forged);
    }
    // Both names exchanged together: the secret in the jti is not the other client's.
    let forged = forge::with_claims(&bench.key, &bench.token, |claims| {
        claims["sub"] = other.client_id.as_str().into();
        claims["client_id"] = other.client_id.as_str().into();
        claims["partnerId"] = "globex".into();
    });
    bench.rejects("a whole other client", &forged);
}

#[test]
fn what_is_signed_must_be_an_object() {
    let bench = Bench::new();
    let header = forge::header(&bench.key).to_string();
    for claims in [
        "",
        "null",
        "[]",
        "1",
        "\"x\"",
        "{",
        "{}{}",
        "{\"a\":1,\"a\":1}",
        "\u{feff}{}",
    ] {
        bench.rejects(claims, &forge::signed(&bench.key, &header, claims));
    }
}
