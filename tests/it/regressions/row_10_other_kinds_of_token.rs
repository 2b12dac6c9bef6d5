//! A token of another kind taken for an access token (CVE-2026-41164), under a signature that is right.

use serde_json::json;

use super::Bench;
use crate::support::forge;

#[test]
fn no_other_kind_of_jwt_passes_for_an_access_token() {
    let bench = Bench::new();
    for typ in [
        "JWT",
        "jwt",
        "dpop+jwt",
        "client-authentication+jwt",
        "statuslist+jwt",
        "token-introspection+jwt",
        "oauth-client-attestation+jwt",
        "oauth-client-attestation-pop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "software-statement+jwt",
        "application/jwt",
        "at+jwt+x",
        "at",
        "at-jwt",
        "",
    ] {
        bench.rejects(
            typ,
            &forge::with_header(&bench.key, &bench.token, |header| header["typ"] = typ.into()),
        );
    }
    for typ in [json!(null), json!(["at+jwt"]), json!(1)] {
        bench.rejects(
            "no text",
            &forge::with_header(&bench.key, &bench.token, |header| header["typ"] = typ),
        );
    }
    let untyped = forge::with_header(&bench.key, &bench.token, |header| {
        header.as_object_mut().unwrap().remove("typ");
    });
    bench.rejects("no type at all", &untyped);
}

#[test]
fn a_secret_an_assertion_or_a_serialization_of_another_form_is_no_token() {
    let bench = Bench::new();
    bench.rejects("a secret", &bench.asking.secret);
    let parts: Vec<&str> = bench.token.split('.').collect();
    let flattened = json!({ "protected": parts[0], "payload": parts[1], "signature": parts[2] });
    bench.rejects("the flattened serialization", &flattened.to_string());
    let general = json!({ "payload": parts[1], "signatures": [{ "protected": parts[0], "signature": parts[2] }] });
    bench.rejects("the general serialization", &general.to_string());
    bench.rejects(
        "five parts, as an encrypted token has",
        &format!("{}.{}.{}", bench.token, parts[1], parts[2]),
    );
    bench.rejects("a detached payload", &format!("{}..{}", parts[0], parts[2]));
    bench.rejects("with its scheme", &format!("Bearer {}", bench.token));
}
