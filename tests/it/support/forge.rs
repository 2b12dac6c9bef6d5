//! Tokens that nobody should believe, made with whatever key is at hand.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mintmark::jose::KeyPair;
use ring::hmac;
use serde_json::{Value, json};

use super::oauth::claims_of;

/// The header our own tokens have.
pub fn header(key: &KeyPair) -> Value {
    json!({ "typ": "at+jwt", "alg": key.jwk().algorithm(), "kid": key.jwk().key_id() })
}

/// A JWS over `header` and `claims`, both as they are, signed with `key`.
pub fn signed(key: &KeyPair, header: &str, claims: &str) -> String {
    let input = signing_input(header, claims);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}

/// The first two parts of a JWS.
pub fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// `token` signed again with `key` after `change` has been at its claims.
pub fn with_claims(key: &KeyPair, token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut claims = claims_of(token);
    change(&mut claims);
    signed(key, &header(key).to_string(), &claims.to_string())
}

/// `token` signed again with `key` after `change` has been at its header.
pub fn with_header(key: &KeyPair, token: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut header = header(key);
    change(&mut header);
    signed(key, &header.to_string(), &claims_of(token).to_string())
}

/// A JWS over `header` and `claims` whose signature is an HMAC-SHA-256 under `secret`.
pub fn keyed(secret: &[u8], header: &str, claims: &str) -> String {
    let input = signing_input(header, claims);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}

/// `token` signed again with `key`, with `json`, whatever it is, in the place of a claim that is a number.
pub fn with_time(key: &KeyPair, token: &str, (claim, json): (&str, &str)) -> String {
    let claims = claims_of(token);
    let written = format!("\"{claim}\":{}", claims[claim]);
    let text = claims.to_string();
    assert!(text.contains(&written), "{text}");
    signed(
        key,
        &header(key).to_string(),
        &text.replace(&written, &format!("\"{claim}\":{json}")),
    )
}
