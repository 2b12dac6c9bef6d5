//! The examples of the RFCs, octet by octet.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeyPairComponents;
use aws_lc_rs::signature::{RsaKeyPair, RsaPublicKeyComponents};

use super::*;

/// RFC 7515 A.2 and A.3: the payload of both.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// RFC 7515 A.2: the modulus.
const RS256_N: &str = "\
    ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
    T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
    dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
    GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// RFC 7515 A.2: the private exponent.
const RS256_D: &str = "\
    Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su\
    i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4\
    qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB\
    4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ";
/// RFC 7515 A.2: a prime.
const RS256_P: &str = "\
    4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8\
    cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc";
/// RFC 7515 A.2: the other prime.
const RS256_Q: &str = "\
    uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t\
    62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc";
/// RFC 7515 A.2: `d mod (p − 1)`.
const RS256_DP: &str = "\
    BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCj\
    n12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0";
/// RFC 7515 A.2: `d mod (q − 1)`.
const RS256_DQ: &str = "\
    h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnw\
    gjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU";
/// RFC 7515 A.2: `q⁻¹ mod p`.
const RS256_QI: &str = "\
    IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93\
    IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U";
/// RFC 7515 A.2: the signature.
const RS256_SIGNATURE: &str = "\
    cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9\
    uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB\
    _eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq\
    Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7517 A.1 and RFC 7638 §3.1: the modulus of the RSA key of both.
const JWK_N: &str = "\
    0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB\
    ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8\
    KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_\
    xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

/// RFC 7638 §3.1: the thumbprint of that key.
const JWK_THUMBPRINT: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

/// The exponent 65537, which all RSA examples share.
const F4: &str = "AQAB";

fn rsa(n: &str) -> PublicKey {
    PublicKey::rsa(&octets(n), &octets(F4)).unwrap()
}

fn verifying_key(algorithm: Algorithm, public_key: PublicKey) -> VerifyingKey {
    VerifyingKey::from(&Jwk::new(algorithm, public_key).unwrap())
}

/// RFC 7515 A.2: RSASSA-PKCS1-v1_5 SHA-256, verified.
#[test]
fn rfc_7515_a_2_is_verified() {
    let key = verifying_key(Algorithm::Rs256, rsa(RS256_N));
    let signing_input = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}");
    assert!(key.confirms(&signing_input, RS256_SIGNATURE));
    assert!(!key.confirms(&signing_input[1..], RS256_SIGNATURE));
    assert!(!verifying_key(Algorithm::Rs256, rsa(JWK_N)).confirms(&signing_input, RS256_SIGNATURE));
    assert!(!verifying_key(Algorithm::Ps256, rsa(RS256_N)).confirms(&signing_input, RS256_SIGNATURE));
    assert!(!key.confirms(&signing_input, "not base64url!"));
}

/// RFC 7515 A.2: the padding is deterministic, so our signature is the RFC's.
#[test]
fn rfc_7515_a_2_is_signed_to_the_same_octets() {
    let components = KeyPairComponents {
        public_key: RsaPublicKeyComponents {
            n: octets(RS256_N),
            e: octets(F4),
        },
        d: octets(RS256_D),
        p: octets(RS256_P),
        q: octets(RS256_Q),
        dP: octets(RS256_DP),
        dQ: octets(RS256_DQ),
        qInv: octets(RS256_QI),
    };
    let rfc_key = RsaKeyPair::from_components(&components).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&rfc_key).unwrap();
    let key_pair = KeyPair::from_pkcs8(Algorithm::Rs256, pkcs8.as_ref()).unwrap();

    assert_eq!(key_pair.jwk().public_key(), &rsa(RS256_N));
    let signature = key_pair.sign(format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}").as_bytes());
    assert_eq!(signature.as_ref(), octets(RS256_SIGNATURE));
}

/// RFC 7515 A.3: ECDSA on P-256 with SHA-256, verified.
#[test]
fn rfc_7515_a_3_is_verified() {
    let key = verifying_key(
        Algorithm::Es256,
        point(
            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        ),
    );
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let signing_input = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}");
    assert!(key.confirms(&signing_input, signature));
    assert!(!key.confirms(&signing_input[1..], signature));
}

fn point(x: &str, y: &str) -> PublicKey {
    PublicKey::p256(&[vec![4], octets(x), octets(y)].concat()).unwrap()
}

/// RFC 8037 A.1 to A.5: one Ed25519 key, its public half, its thumbprint, a signature and its verification.
#[test]
fn rfc_8037_a_1_to_a_5() {
    // PKCS#8 around the 32 octets of A.1 (RFC 8410 §7).
    let prefix = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    let private = octets("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let key_pair = KeyPair::from_pkcs8(Algorithm::EdDsa, &[prefix.as_slice(), &private].concat()).unwrap();

    let public = octets("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(key_pair.jwk().public_key(), &PublicKey::ed25519(&public).unwrap());
    assert_eq!(
        key_pair.jwk().key_id().as_str(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );

    let signing_input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(key_pair.sign(signing_input.as_bytes()).as_ref(), octets(signature));
    assert!(VerifyingKey::from(key_pair.jwk()).confirms(signing_input, signature));
}

/// RFC 7638 §3.1: the thumbprint of an RSA key.
#[test]
fn rfc_7638_3_1_thumbprint() {
    assert_eq!(rsa(JWK_N).thumbprint().as_str(), JWK_THUMBPRINT);
}

/// RFC 7517 A.1: the keys are good, but ours carry `alg`, are for signatures, and are named by their thumbprint.
#[test]
fn rfc_7517_a_1_keys_are_read_once_they_say_what_ours_say() {
    let coordinates = (
        "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    );
    let (x, y) = coordinates;
    let elliptic = format!(r#""kty":"EC","crv":"P-256","x":"{x}","y":"{y}""#);
    let verbatim = format!(r#"{{{elliptic},"use":"enc","kid":"1"}}"#);
    assert_eq!(verbatim.parse::<Jwk>(), Err(JwkError::Members));
    let kid = point(x, y).thumbprint();
    let ours = format!(r#"{{{elliptic},"use":"sig","alg":"ES256","kid":"{kid}"}}"#);
    assert_eq!(
        ours.parse(),
        Jwk::new(Algorithm::Es256, point(x, y)).map_err(JwkError::Key)
    );

    let rsa_members = format!(r#""kty":"RSA","n":"{JWK_N}","e":"AQAB","alg":"RS256""#);
    let verbatim = format!(r#"{{{rsa_members},"kid":"2011-04-29"}}"#);
    assert_eq!(verbatim.parse::<Jwk>(), Err(JwkError::Members));
    let ours = format!(r#"{{{rsa_members},"use":"sig","kid":"{JWK_THUMBPRINT}"}}"#);
    assert_eq!(
        ours.parse(),
        Jwk::new(Algorithm::Rs256, rsa(JWK_N)).map_err(JwkError::Key)
    );
}

/// RFC 8410 §10.3: the example private key as PEM, and the public key that §10.1 gives for it.
#[test]
fn rfc_8410_10_3_private_key_is_imported() {
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    let pkcs8 = Pkcs8::from_pem(Algorithm::EdDsa, pem).unwrap();
    let key_pair = KeyPair::from_pkcs8(Algorithm::EdDsa, pkcs8.as_der()).unwrap();
    let subject_public_key = STANDARD
        .decode("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=")
        .unwrap();
    let public = PublicKey::ed25519(&subject_public_key[12..]).unwrap();
    assert_eq!(key_pair.jwk().public_key(), &public);
}
