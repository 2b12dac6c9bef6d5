//! Tokens: what is signed is verified, here and elsewhere; what is not exactly so is refused for its reason.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use jsonwebtoken::{DecodingKey, Validation, decode};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::domain::Timestamp;

const CLAIMS: &str = r#"{"iss":"https://as.example.com/qa","sub":"mmc-1","exp":1300819380}"#;

fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
    }
}

/// The header our own keys write, as a value to be spoilt.
fn header(key: &SigningKey) -> Value {
    json!({ "alg": key.algorithm(), "typ": "at+jwt", "kid": key.key_id() })
}

#[test]
fn what_is_signed_is_verified_and_its_claims_are_read() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Claims {
        sub: String,
        exp: NumericDate,
    }
    for algorithm in Algorithm::ALL {
        let key = KEYS.of(algorithm);
        let payload = read(&key.sign_compact(CLAIMS.as_bytes()).unwrap(), key).unwrap();
        assert_eq!(payload.as_json(), CLAIMS.as_bytes());
        let expected = Claims {
            sub: "mmc-1".into(),
            exp: NumericDate(Timestamp::from_seconds(1_300_819_380)),
        };
        assert_eq!(payload.claims(), Ok(expected));
    }
}

/// CVE-2026-25537: a time claim of the wrong type must not pass for an absent one.
#[test]
fn a_claim_of_the_wrong_type_is_refused() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Claims {
        exp: NumericDate,
    }
    let key = KEYS.of(Algorithm::EdDsa);
    for exp in [r#""1300819380""#, "null", "-1", "1e300", "1.5", "[1]"] {
        let token = key.sign_compact(format!(r#"{{"exp":{exp}}}"#).as_bytes()).unwrap();
        assert_eq!(
            read(&token, key).unwrap().claims::<Claims>(),
            Err(JwsError::Claims),
            "{exp}"
        );
    }
    let absent = key.sign_compact(b"{}").unwrap();
    assert_eq!(read(&absent, key).unwrap().claims::<Claims>(), Err(JwsError::Claims));
}

/// The header says what RFC 9068 §2.1 asks, and the buffer was sized right at once.
#[test]
fn the_token_has_our_header_and_one_buffer() {
    for algorithm in Algorithm::ALL {
        let key = KEYS.of(algorithm);
        let token = key.sign_compact(CLAIMS.as_bytes()).unwrap();
        assert_eq!(token.capacity(), token.len(), "{algorithm}");
        let written: Value = serde_json::from_slice(&octets(token.split('.').next().unwrap())).unwrap();
        assert_eq!(written, header(key));
    }
}

/// A second opinion by the library's ordinary door. It also shows that no `CryptoProvider` needs to be installed: with
/// exactly one backend compiled in, the library finds it itself, and panics otherwise.
#[test]
fn jsonwebtoken_reads_our_tokens_with_our_jwk_and_no_installed_provider() {
    for algorithm in Algorithm::ALL {
        let key = KEYS.of(algorithm);
        let token = key.sign_compact(CLAIMS.as_bytes()).unwrap();
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(key.jwk()).unwrap()).unwrap();
        let mut validation = Validation::new(theirs(algorithm));
        validation.validate_exp = false;
        let decoded = decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        assert_eq!(decoded.claims, serde_json::from_str::<Value>(CLAIMS).unwrap());
        assert_eq!(decoded.header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(decoded.header.kid.as_deref(), Some(key.key_id().as_str()));
    }
}

/// RFC 8725 §3.1: every key against every token, and only the one that signed verifies.
#[test]
fn a_token_verifies_with_its_own_key_only() {
    for signed in Algorithm::ALL {
        let token = KEYS.of(signed).sign_compact(CLAIMS.as_bytes()).unwrap();
        for tried in Algorithm::ALL {
            let result = read(&token, KEYS.of(tried)).map(|_| ());
            let expected = if signed == tried {
                Ok(())
            } else {
                Err(JwsError::WrongKey)
            };
            assert_eq!(result, expected, "{signed} with {tried}");
            assert_eq!(read(&token, OTHER_KEYS.of(tried)).unwrap_err(), JwsError::WrongKey);
        }
    }
}

/// RFC 8725 §3.1, §2.1: the header claims another algorithm or another key than the one that signed.
#[test]
fn a_header_cannot_choose_how_it_is_verified() {
    for signed in Algorithm::ALL {
        let key = KEYS.of(signed);
        for claimed in Algorithm::ALL.into_iter().filter(|claimed| *claimed != signed) {
            let mut lying = header(key);
            lying["alg"] = json!(claimed);
            let token = sign_under_header(key, &lying.to_string(), CLAIMS);
            assert_eq!(read(&token, key).unwrap_err(), JwsError::WrongKey);
            assert_eq!(read(&token, KEYS.of(claimed)).unwrap_err(), JwsError::WrongKey);
        }
        let forged = sign_under_header(OTHER_KEYS.of(signed), &header(key).to_string(), CLAIMS);
        assert_eq!(read(&forged, key).unwrap_err(), JwsError::WrongSignature, "{signed}");
    }
}

/// One RSA key under two names of algorithm stays two keys.
#[test]
fn the_two_rsa_algorithms_do_not_mix() {
    let pkcs8 = KeyPair::generate(Algorithm::Rs256).unwrap();
    let [rs256, ps256] = [Algorithm::Rs256, Algorithm::Ps256].map(|algorithm| {
        let pair = KeyPair::from_pkcs8(algorithm, pkcs8.as_der()).unwrap();
        SigningKey::new(pair, TokenType::AccessToken)
    });
    assert_eq!(rs256.key_id(), ps256.key_id());
    let token = rs256.sign_compact(CLAIMS.as_bytes()).unwrap();
    assert_eq!(read(&token, &ps256).unwrap_err(), JwsError::WrongKey);
    let lying = sign_under_header(&rs256, &header(&ps256).to_string(), CLAIMS);
    assert_eq!(read(&lying, &ps256).unwrap_err(), JwsError::WrongSignature);
}

/// RFC 7518 §3.6, RFC 8725 §2.1: unsigned, symmetric, unknown and misspelt algorithms.
#[test]
fn an_algorithm_not_on_the_list_is_refused() {
    let key = KEYS.of(Algorithm::Es256);
    let names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        "HS256",
        "HS512",
        "RS1",
        "RS512",
        "ES384",
        "ES256K",
        "es256",
        "ES256 ",
        " ES256",
        "ES256\u{0}",
        "eddsa",
        "RSA-OAEP",
        "dir",
    ];
    let others = [Value::Null, json!(1), json!(["ES256"]), json!({ "ES256": 1 })];
    for alg in names.into_iter().map(Value::from).chain(others) {
        let mut spoilt = header(key);
        spoilt["alg"] = alg.clone();
        let token = sign_under_header(key, &spoilt.to_string(), CLAIMS);
        assert_eq!(read(&token, key).unwrap_err(), JwsError::UnknownAlgorithm, "{alg}");
    }
    let without = format!(r#"{{"typ":"at+jwt","kid":"{}"}}"#, key.key_id());
    let token = sign_under_header(key, &without, CLAIMS);
    assert_eq!(read(&token, key).unwrap_err(), JwsError::UnknownAlgorithm);
}

/// RFC 7519 §6: the unsecured JWT has an empty third part.
#[test]
fn an_unsecured_jwt_is_refused() {
    let key = KEYS.of(Algorithm::Es256);
    for alg in ["none", "ES256"] {
        let mut spoilt = header(key);
        spoilt["alg"] = json!(alg);
        let token = sign_under_header(key, &spoilt.to_string(), CLAIMS);
        let unsigned = &token[..=token.rfind('.').unwrap()];
        assert_eq!(read(unsigned, key).unwrap_err(), JwsError::NotThreeParts);
    }
}

/// RFC 7518 §3.4: the signature is `R ‖ S`; the DER that other software makes is refused, though the numbers are right.
#[test]
fn an_ecdsa_signature_in_der_is_refused() {
    let pkcs8 = KeyPair::generate(Algorithm::Es256).unwrap();
    let pair = KeyPair::from_pkcs8(Algorithm::Es256, pkcs8.as_der()).unwrap();
    let key = SigningKey::new(pair, TokenType::AccessToken);
    let token = key.sign_compact(CLAIMS.as_bytes()).unwrap();
    let (signing_input, _) = token.rsplit_once('.').unwrap();
    let der_signer = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_der()).unwrap();
    let der = der_signer.sign(&SystemRandom::new(), signing_input.as_bytes()).unwrap();
    let in_der = format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(der));
    assert_eq!(read(&in_der, &key).unwrap_err(), JwsError::WrongSignature);
    // The signature of all zeros, which flawed verifiers took for every message's.
    let zeros = format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode([0; 64]));
    assert_eq!(read(&zeros, &key).unwrap_err(), JwsError::WrongSignature);
}

/// RFC 8725 §3.10, RFC 7515 §4.1.11, RFC 7797 §6: what is never followed is not tolerated either, whatever it holds.
#[test]
fn keys_extensions_and_unencoded_payloads_in_the_header_are_refused() {
    let key = KEYS.of(Algorithm::Es256);
    let members = [
        ("jwk", json!(key.jwk())),
        ("jwk", Value::Null),
        ("jku", json!("https://127.0.0.1/jwks")),
        ("x5u", json!("https://169.254.169.254/")),
        ("x5c", json!([])),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", Value::Null),
        ("b64", json!(false)),
        ("b64", json!(true)),
    ];
    for (member, value) in members {
        let mut spoilt = header(key);
        spoilt[member] = value;
        let token = sign_under_header(key, &spoilt.to_string(), CLAIMS);
        assert_eq!(
            read(&token, key).unwrap_err(),
            JwsError::RefusedMember(member),
            "{spoilt}"
        );
    }
    // RFC 7515 §4: members that are neither known nor critical are ignored.
    let mut harmless = header(key);
    harmless["cty"] = json!("x");
    harmless["x5t#S256"] = json!("x");
    assert!(read(&sign_under_header(key, &harmless.to_string(), CLAIMS), key).is_ok());
}

/// RFC 9068 §4, RFC 8725 §3.11.
#[test]
fn a_token_of_another_type_is_refused() {
    let key = KEYS.of(Algorithm::Es256);
    let types = [
        json!("JWT"),
        json!("at"),
        json!("dpop+jwt"),
        json!("token-introspection+jwt"),
        json!(""),
        Value::Null,
        json!(["at+jwt"]),
    ];
    for typ in types {
        let mut spoilt = header(key);
        spoilt["typ"] = typ;
        let token = sign_under_header(key, &spoilt.to_string(), CLAIMS);
        assert_eq!(read(&token, key).unwrap_err(), JwsError::WrongType, "{spoilt}");
    }
    let mut long = header(key);
    long["typ"] = json!("Application/AT+jwt");
    assert!(read(&sign_under_header(key, &long.to_string(), CLAIMS), key).is_ok());
}

#[test]
fn a_key_id_is_a_thumbprint_or_the_token_is_refused() {
    let key = KEYS.of(Algorithm::Es256);
    let names = [
        json!("../../../etc/passwd"),
        json!("x' UNION SELECT 1 --"),
        json!(""),
        json!("A".repeat(4000)),
        json!(7),
        Value::Null,
    ];
    for kid in names {
        let mut spoilt = header(key);
        spoilt["kid"] = kid;
        let token = sign_under_header(key, &spoilt.to_string(), CLAIMS);
        assert_eq!(read(&token, key).unwrap_err(), JwsError::NoKeyId);
    }
}

/// RFC 7515 §4, RFC 7519 §4: repeated names, in whatever spelling, and what is no object at all.
#[test]
fn header_and_claims_are_objects_of_unique_members() {
    let key = KEYS.of(Algorithm::Es256);
    let good = header(key).to_string();
    let headers = [
        (good.replacen('{', r#"{"alg":"none","#, 1), JsonFault::DuplicateMember),
        (
            good.replacen('{', r#"{"\u0061lg":"none","#, 1),
            JsonFault::DuplicateMember,
        ),
        (format!("[{good}]"), JsonFault::NotAnObject),
        ("\"header\"".to_owned(), JsonFault::NotAnObject),
        (format!("{good}{good}"), JsonFault::Malformed),
    ];
    for (spoilt, fault) in headers {
        let token = sign_under_header(key, &spoilt, CLAIMS);
        assert_eq!(read(&token, key).unwrap_err(), JwsError::Header(fault), "{spoilt}");
    }
    let payloads = [
        (r#"{"sub":"a","sub":"b"}"#, JsonFault::DuplicateMember),
        (r#"{"a":[{"b":{"c":1,"c":1}}]}"#, JsonFault::DuplicateMember),
        ("[]", JsonFault::NotAnObject),
        ("1", JsonFault::NotAnObject),
        ("{", JsonFault::Malformed),
        ("{\"exp\":NaN}", JsonFault::Malformed),
    ];
    for (claims, fault) in payloads {
        let token = key.sign_compact(claims.as_bytes()).unwrap();
        assert_eq!(read(&token, key).unwrap_err(), JwsError::Payload(fault), "{claims}");
    }
}

/// The claims of a token that does not verify are not even parsed.
#[test]
fn a_wrong_signature_is_found_before_a_wrong_payload() {
    let key = KEYS.of(Algorithm::EdDsa);
    let token = sign_under_header(OTHER_KEYS.of(Algorithm::EdDsa), &header(key).to_string(), "{");
    assert_eq!(read(&token, key).unwrap_err(), JwsError::WrongSignature);
}

#[test]
fn a_token_read_but_not_verified_does_not_show_itself() {
    let key = KEYS.of(Algorithm::EdDsa);
    let token = key.sign_compact(CLAIMS.as_bytes()).unwrap();
    let compact = CompactJws::parse(&token, TokenType::AccessToken).unwrap();
    let shown = format!("{compact:?}");
    assert_eq!(
        shown,
        format!("CompactJws {{ algorithm: EdDsa, key_id: \"{}\", .. }}", key.key_id())
    );
    assert_eq!(format!("{:?}", read(&token, key).unwrap()), "VerifiedPayload(…)");
}

proptest! {
    #[test]
    fn any_claims_come_back_as_they_were_signed(
        claims in prop::collection::btree_map("\\PC{0,12}", "\\PC{0,40}", 0..8),
        which in 0..4_usize,
    ) {
        let key = KEYS.of(Algorithm::ALL[which]);
        let claims: Map<String, Value> = claims.into_iter().map(|(name, text)| (name, json!(text))).collect();
        let token = key.sign_compact(&serde_json::to_vec(&claims).unwrap()).unwrap();
        prop_assert_eq!(read(&token, key).unwrap().claims(), Ok(claims));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        let key = KEYS.of(Algorithm::Es256);
        prop_assert!(read(&text, key).is_err());
    }

    #[test]
    fn any_three_parts_are_read_or_refused(header in ".{0,120}", payload in ".{0,60}", signature in prop::collection::vec(0..=u8::MAX, 0..100)) {
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let token = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature));
        let key = KEYS.of(Algorithm::Es256);
        prop_assert!(read(&token, key).is_err());
    }
}
