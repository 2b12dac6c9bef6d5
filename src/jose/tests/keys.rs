//! Private keys come in through one door each, wrong ones stay out, and nothing of them comes out again.

use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use super::*;

/// A private key of 1024 bits in PKCS#8, as `openssl genpkey` makes it.
const RSA_1024: &str = "\
    MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAMyVhBFTUSu2iSV23vYbolBLH49CSZzaQlfkpytnoE0r6X74coIO\
    ODPJYjW/8cv2ngaQlt3rtGcRjnI8pEOVQysnoJ4uZG8S9R3L8MC/ZHHmiYiNt89HDsm9PcHE+W3enmj26ogcigPZ46O9537vM0nh\
    DPzDP7+a9w5I4bBFk78bAgMBAAECgYApAMJycn9vQmtkXdm7+7fhXd0aak+0py3qzcIPefpv3SA0OXlBxbXP80nCuhCtL2VmrW3/\
    VnFWwvcIwEyv2ueWD+H4ySwSQWklhEaWaBiaIAAeSxheyoilcJj/nAXgUl4QFYzZjAZV1CNY59fs6upe02V8CIfU8eiWEHc07Qnq\
    kQJBAOfYZzNjhFDa2qXhIVMfIR0sekLWMCh+RVLr0dk6tNaDQ/O7o3OiAB+3XcK8sVHkUvp0/cfzEei8OTlJlF4w6vkCQQDh5gV0\
    LNbFi2IXJjLA21g4UJiWuR+tPdxtUB7fJSKzgydH4uts3DTfH1TKLEAF+7BpCJ6ugwvMbvLmIkPubMuzAkEAspjUnxSZWAPPjRsJ\
    JdQEGUorAJOo03i6BG+e3v1HUzwZO4efGTOBbu09MAdVfWUqur8mxEGt2SAt4MCap5h9WQJBAMuGWIeRFneo2tmMetGzTcp/Its5\
    M0b8oyqBsy7M4HTnx25HDmFoDOKx8cytDYnWd9xJ/d2xB+JKW+HoIVghAW0CQQCiPTyWDA5826PlmOhMar25erkhrl24zK6JLO13\
    HyRFMeXsIEojF9WYvMJTKZSPOhaxX14a/Y2k8rrLNgIk/5u4";

/// The algorithms whose keys `algorithm` can use.
fn same_type(algorithm: Algorithm) -> &'static [Algorithm] {
    match algorithm {
        Algorithm::Es256 => &[Algorithm::Es256],
        Algorithm::EdDsa => &[Algorithm::EdDsa],
        Algorithm::Rs256 | Algorithm::Ps256 => &[Algorithm::Rs256, Algorithm::Ps256],
    }
}

#[test]
fn a_private_key_serves_the_algorithms_of_its_type_and_no_other() {
    for made_for in Algorithm::ALL {
        let pkcs8 = KeyPair::generate(made_for).unwrap();
        for used_for in Algorithm::ALL {
            let pair = KeyPair::from_pkcs8(used_for, pkcs8.as_der()).map(|pair| pair.jwk().algorithm());
            let imported = Pkcs8::from_pem(used_for, &pem("PRIVATE KEY", pkcs8.as_der())).map(|_| used_for);
            let expected = if same_type(made_for).contains(&used_for) {
                Ok(used_for)
            } else {
                Err(KeyError::WrongKind(used_for))
            };
            assert_eq!(pair, expected, "{made_for} key for {used_for}");
            assert_eq!(imported, expected, "{made_for} PEM for {used_for}");
        }
    }
}

#[test]
fn a_public_key_serves_the_algorithms_of_its_type_and_no_other() {
    for made_for in Algorithm::ALL {
        let public_key = KEYS.of(made_for).jwk().public_key();
        for used_for in Algorithm::ALL {
            let bound = Jwk::new(used_for, public_key.clone()).map(|jwk| jwk.algorithm());
            if same_type(made_for).contains(&used_for) {
                assert_eq!(bound, Ok(used_for));
            } else {
                assert_eq!(bound, Err(KeyError::WrongKind(used_for)));
            }
        }
    }
}

#[test]
fn another_curve_is_the_wrong_kind() {
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let refused = KeyPair::from_pkcs8(Algorithm::Es256, p384.to_pkcs8v1().unwrap().as_ref());
    assert_eq!(refused.unwrap_err(), KeyError::WrongKind(Algorithm::Es256));
}

#[test]
fn a_short_rsa_key_is_refused() {
    let der = STANDARD.decode(RSA_1024).unwrap();
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert_eq!(KeyPair::from_pkcs8(algorithm, &der).unwrap_err(), KeyError::RsaLength);
        assert_eq!(
            Pkcs8::from_pem(algorithm, &pem("PRIVATE KEY", &der)).unwrap_err(),
            KeyError::RsaLength
        );
    }
}

#[test]
fn only_one_unencrypted_pkcs8_block_is_imported() {
    let pkcs8 = KeyPair::generate(Algorithm::Es256).unwrap();
    let good = pem("PRIVATE KEY", pkcs8.as_der());
    assert_eq!(
        Pkcs8::from_pem(Algorithm::Es256, &good).unwrap().as_der(),
        pkcs8.as_der()
    );
    // The same key with the line ends and the blank edges that editors leave.
    let edited = format!("\r\n {} \r\n", good.replace('\n', "\r\n"));
    assert!(Pkcs8::from_pem(Algorithm::Es256, &edited).is_ok());

    let other_labels = [
        "EC PRIVATE KEY",
        "RSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PUBLIC KEY",
        "CERTIFICATE",
    ];
    for label in other_labels {
        let refused = Pkcs8::from_pem(Algorithm::Es256, &pem(label, pkcs8.as_der()));
        assert_eq!(refused.unwrap_err(), KeyError::NotPem, "{label}");
    }
    let two = format!("{good}{good}");
    let unfinished = good.replace("-----END PRIVATE KEY-----", "");
    let binary = good.replace("MIG", "M*G");
    for text in ["", "-----BEGIN PRIVATE KEY-----", &two, &unfinished, &binary] {
        let refused = Pkcs8::from_pem(Algorithm::Es256, text);
        assert_eq!(refused.unwrap_err(), KeyError::NotPem, "{text:.40}");
    }
    assert_eq!(
        Pkcs8::from_pem(Algorithm::Es256, &pem("PRIVATE KEY", b"not DER")).unwrap_err(),
        KeyError::Malformed
    );
}

#[test]
fn a_cut_private_key_is_malformed() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let pkcs8 = KeyPair::generate(algorithm).unwrap();
        for length in 0..pkcs8.as_der().len() {
            let refused = KeyPair::from_pkcs8(algorithm, &pkcs8.as_der()[..length]);
            assert_eq!(refused.unwrap_err(), KeyError::Malformed, "{algorithm} {length}");
        }
    }
}

#[test]
fn private_keys_do_not_show_themselves() {
    for algorithm in Algorithm::ALL {
        let pkcs8 = KeyPair::generate(algorithm).unwrap();
        assert_eq!(format!("{pkcs8:?}"), "Pkcs8(…)");
        let pair = KeyPair::from_pkcs8(algorithm, pkcs8.as_der()).unwrap();
        let shown = format!(
            "KeyPair {{ algorithm: {algorithm:?}, key_id: \"{}\", .. }}",
            pair.jwk().key_id()
        );
        assert_eq!(format!("{pair:?}"), shown);
        let key = SigningKey::new(pair, TokenType::AccessToken);
        assert_eq!(format!("{key:?}"), format!("SigningKey({shown})"));
    }
}

#[test]
fn keys_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<SigningKey>();
    shared::<VerifyingKey>();
    shared::<Pkcs8>();
}

#[test]
fn a_jwk_is_written_with_its_members_in_order_and_read_back() {
    let members: [(Algorithm, &[&str]); 4] = [
        (Algorithm::Es256, &["kty", "crv", "x", "y", "kid", "alg", "use"]),
        (Algorithm::EdDsa, &["kty", "crv", "x", "kid", "alg", "use"]),
        (Algorithm::Rs256, &["kty", "n", "e", "kid", "alg", "use"]),
        (Algorithm::Ps256, &["kty", "n", "e", "kid", "alg", "use"]),
    ];
    for (algorithm, names) in members {
        let jwk = KEYS.of(algorithm).jwk();
        let text = serde_json::to_string(jwk).unwrap();
        let places: Vec<_> = names.iter().map(|name| text.find(&format!("\"{name}\":"))).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{text}");
        assert_eq!(text.matches("\":").count(), names.len(), "{text}");
        assert_eq!(text.parse().as_ref(), Ok(jwk));
    }
}

/// RFC 7517 §9: what is published is public.
#[test]
fn a_jwk_set_holds_public_members_only_and_each_key_once() {
    let published = [&KEYS, &KEYS, &OTHER_KEYS];
    let set: JwkSet = published
        .iter()
        .flat_map(|keys| keys.0.iter().map(|key| key.jwk().clone()))
        .collect();
    assert_eq!(set.keys().len(), 8);
    let json: Value = serde_json::to_value(&set).unwrap();
    assert_eq!(json.as_object().unwrap().len(), 1);
    let public = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"];
    for key in json["keys"].as_array().unwrap() {
        assert!(
            key.as_object()
                .unwrap()
                .keys()
                .all(|name| public.contains(&name.as_str()))
        );
        assert_eq!(key["use"], "sig");
    }
    let as_others_read_it: jsonwebtoken::jwk::JwkSet = serde_json::from_value(json).unwrap();
    for jwk in set.keys() {
        let found = as_others_read_it.find(jwk.key_id().as_str()).unwrap();
        let thumbprint = found.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, jwk.key_id().as_str());
    }
}

#[test]
fn an_empty_jwk_set_is_still_a_set() {
    assert_eq!(serde_json::to_string(&JwkSet::default()).unwrap(), r#"{"keys":[]}"#);
}

/// RFC 7517 §9: a key with a private or symmetric member is a leak, not a key.
#[test]
fn a_jwk_with_a_private_member_is_refused() {
    for algorithm in Algorithm::ALL {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
            let mut jwk = serde_json::to_value(KEYS.of(algorithm).jwk()).unwrap();
            jwk[private] = json!("AQAB");
            assert_eq!(
                jwk.to_string().parse::<Jwk>(),
                Err(JwkError::PrivateMember),
                "{private}"
            );
        }
    }
}

#[test]
fn a_jwk_changed_in_any_member_is_refused() {
    for algorithm in Algorithm::ALL {
        let good = serde_json::to_value(KEYS.of(algorithm).jwk()).unwrap();
        let other = serde_json::to_value(OTHER_KEYS.of(algorithm).jwk()).unwrap();
        for name in good.as_object().unwrap().keys() {
            let strangers = [
                Value::Null,
                json!(1),
                json!(""),
                json!("none"),
                json!("AA"),
                json!(["AQAB"]),
                json!(format!("{}=", good[name].as_str().unwrap())),
            ];
            for stranger in strangers {
                let mut jwk = good.clone();
                jwk[name] = stranger;
                assert!(jwk.to_string().parse::<Jwk>().is_err(), "{jwk}");
            }
            let mut without = good.clone();
            without.as_object_mut().unwrap().remove(name);
            assert!(without.to_string().parse::<Jwk>().is_err(), "{without}");
            let mut of_another_key = good.clone();
            of_another_key[name] = other[name].clone();
            let unchanged = of_another_key == good;
            assert_eq!(of_another_key.to_string().parse::<Jwk>().is_ok(), unchanged, "{name}");
        }
        let mut unknown = good.clone();
        unknown["x5c"] = json!([]);
        assert_eq!(unknown.to_string().parse::<Jwk>(), Err(JwkError::Members));
        let text = good.to_string();
        let twice = text.replacen('{', "{\"use\":\"sig\",", 1);
        assert_eq!(
            twice.parse::<Jwk>(),
            Err(JwkError::Json(JsonFault::DuplicateMember)),
            "{twice}"
        );
    }
}

/// RFC 8725 §3.1: the text of a key cannot be talked into another algorithm, save between the two of RSA.
#[test]
fn the_algorithm_of_a_stored_jwk_must_fit_its_type() {
    for made_for in Algorithm::ALL {
        for claimed in Algorithm::ALL {
            let mut jwk = serde_json::to_value(KEYS.of(made_for).jwk()).unwrap();
            jwk["alg"] = json!(claimed);
            let read = jwk.to_string().parse::<Jwk>().map(|jwk| jwk.algorithm());
            if same_type(made_for).contains(&claimed) {
                assert_eq!(read, Ok(claimed));
            } else {
                assert_eq!(read, Err(JwkError::Key(KeyError::WrongKind(claimed))));
            }
        }
    }
}

/// RFC 7518 §6.2.1.2: each coordinate has the full length, so that one point has one spelling.
#[test]
fn a_coordinate_of_another_length_is_refused() {
    let good = serde_json::to_value(KEYS.of(Algorithm::Es256).jwk()).unwrap();
    let point = [octets(good["x"].as_str().unwrap()), octets(good["y"].as_str().unwrap())].concat();
    for border in [0, 31, 33, 64] {
        let mut shifted = good.clone();
        shifted["x"] = json!(URL_SAFE_NO_PAD.encode(&point[..border]));
        shifted["y"] = json!(URL_SAFE_NO_PAD.encode(&point[border..]));
        assert_eq!(
            shifted.to_string().parse::<Jwk>(),
            Err(JwkError::Key(KeyError::Malformed)),
            "{border}"
        );
    }
}
