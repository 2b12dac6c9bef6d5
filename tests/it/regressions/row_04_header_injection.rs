//! The header brings the key along, names one elsewhere, or does without (CVE-2015-9235, CVE-2018-0114, CVE-2025-59420).

use mintmark::domain::Algorithm;
use mintmark::domain::Environment::Production;
use mintmark::http::OAuthLimits;
use mintmark::jose::KeyPair;
use serde_json::json;

use super::Bench;
use crate::support::forge;
use crate::support::installation::{Installation, Plan};
use crate::support::oauth::claims_of;

/// A key nobody here has heard of.
fn foreign_key() -> KeyPair {
    let pkcs8 = KeyPair::generate(Algorithm::Es256).unwrap();
    KeyPair::from_pkcs8(Algorithm::Es256, pkcs8.as_der()).unwrap()
}

#[test]
fn none_signs_nothing() {
    let bench = Bench::new();
    let claims = claims_of(&bench.token).to_string();
    let signature = bench.token.rsplit_once('.').unwrap().1;
    for named in ["none", "None", "NONE", "nOnE", ""] {
        let mut header = forge::header(&bench.key);
        header["alg"] = named.into();
        let unsigned = forge::signing_input(&header.to_string(), &claims);
        for token in [
            format!("{unsigned}."),
            unsigned.clone(),
            format!("{unsigned}.{signature}"),
            format!("{unsigned}.AA"),
        ] {
            bench.rejects(named, &token);
        }
    }
    let bare = forge::signing_input(r#"{"alg":"none"}"#, &claims);
    bench.rejects("nothing but none", &format!("{bare}."));
}

#[test]
fn no_key_is_taken_from_the_token_or_from_where_it_points() {
    let bench = Bench::new();
    let claims = claims_of(&bench.token).to_string();
    let thief = foreign_key();
    let jwk = serde_json::to_value(thief.jwk()).unwrap();
    let members = [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.example.com/jwks")),
        ("jku", json!(format!("http://{}/qa/jwks", bench.installation.address))),
        ("x5u", json!("file:///etc/passwd")),
        ("x5c", json!(["MIIB"])),
    ];
    for (member, value) in members {
        for key in [&thief, &bench.key] {
            for named in [&thief, &bench.key] {
                let mut header = forge::header(key);
                header["kid"] = named.jwk().key_id().as_str().into();
                header[member] = value.clone();
                bench.rejects(member, &forge::signed(key, &header.to_string(), &claims));
            }
        }
    }
    bench.rejects("a foreign key", &forge::with_claims(&thief, &bench.token, |_| ()));
}

#[test]
fn what_must_be_understood_is_not() {
    let bench = Bench::new();
    for crit in [
        json!([]),
        json!(["exp"]),
        json!(["b64"]),
        json!(["alg"]),
        json!("x"),
        json!(null),
        json!({}),
    ] {
        let forged = forge::with_header(&bench.key, &bench.token, |header| header["crit"] = crit.clone());
        bench.rejects(&crit.to_string(), &forged);
    }
    let unencoded = forge::with_header(&bench.key, &bench.token, |header| {
        header["b64"] = false.into();
        header["crit"] = json!(["b64"]);
    });
    bench.rejects("an unencoded payload", &unencoded);
    let harmless = forge::with_header(&bench.key, &bench.token, |header| header["cty"] = "x".into());
    assert!(
        bench.confirms(&harmless),
        "a member that asks for nothing is ignored (RFC 7515 §4)"
    );
}

#[test]
fn a_key_name_is_only_ever_compared() {
    let bench = Bench::of(Plan {
        limits: OAuthLimits {
            body: 4 << 20,
            ..Plan::default().limits
        },
        ..Plan::default()
    });
    let own = bench.key.jwk().key_id().to_string();
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "keys/master.key",
        "' OR '1'='1",
        "x'; DROP TABLE signing_keys; --",
        "%s%n",
        "\u{0}",
        "",
        "http://127.0.0.1/jwks",
        &own.to_lowercase(),
        &format!("{own} "),
        &format!("{own}="),
        &own[..42],
        &"A".repeat(1 << 20),
    ] {
        let forged = forge::with_header(&bench.key, &bench.token, |header| header["kid"] = kid.into());
        bench.rejects(&format!("{kid:.40}"), &forged);
    }
    for kid in [json!(null), json!(1), json!([own]), json!({ "kid": own })] {
        bench.rejects(
            "no text",
            &forge::with_header(&bench.key, &bench.token, |header| header["kid"] = kid),
        );
    }
    let nameless = forge::with_header(&bench.key, &bench.token, |header| {
        header.as_object_mut().unwrap().remove("kid");
    });
    bench.rejects("no name at all", &nameless);
    assert!(bench.confirms(&bench.token));
}

#[test]
fn the_other_environments_key_and_another_installations_key_are_foreign() {
    let bench = Bench::new();
    for key in [
        bench.installation.key_pair(Production),
        Installation::start().key_pair(Production),
    ] {
        bench.rejects("its own name", &forge::with_claims(&key, &bench.token, |_| ()));
        let claims = claims_of(&bench.token).to_string();
        bench.rejects(
            "our name",
            &forge::signed(&key, &forge::header(&bench.key).to_string(), &claims),
        );
    }
}

#[test]
fn a_header_must_be_one_object_of_unique_members() {
    let bench = Bench::new();
    let claims = claims_of(&bench.token).to_string();
    let own = forge::header(&bench.key).to_string();
    let twice = own.replacen('{', "{\"alg\":\"ES256\",", 1);
    for header in [
        twice.as_str(),
        "",
        "null",
        "[]",
        "{}",
        "{",
        &format!("{own}{own}"),
        &format!("[{own}]"),
    ] {
        bench.rejects(header, &forge::signed(&bench.key, header, &claims));
    }
}
