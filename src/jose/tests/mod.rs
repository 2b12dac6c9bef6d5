//! What this room promises, tried against the RFCs' own examples, against a second implementation and against abuse.

mod keys;
mod mutations;
mod rfc;
mod tokens;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::domain::Algorithm;

/// One signing key for each algorithm, made once for all tests.
struct Keys([SigningKey; 4]);

impl Keys {
    fn generate() -> Self {
        Self(Algorithm::ALL.map(|algorithm| SigningKey::new(new_pair(algorithm), TokenType::AccessToken)))
    }

    fn of(&self, algorithm: Algorithm) -> &SigningKey {
        self.0.iter().find(|key| key.algorithm() == algorithm).unwrap()
    }
}

static KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);

/// Keys of the same types that signed nothing.
static OTHER_KEYS: LazyLock<Keys> = LazyLock::new(Keys::generate);

fn new_pair(algorithm: Algorithm) -> KeyPair {
    let pkcs8 = KeyPair::generate(algorithm).unwrap();
    KeyPair::from_pkcs8(algorithm, pkcs8.as_der()).unwrap()
}

/// The whole way in: parse, then verify with `key`.
fn read(token: &str, key: &SigningKey) -> Result<VerifiedPayload, JwsError> {
    let compact = CompactJws::parse(token, TokenType::AccessToken)?;
    verify(compact, &VerifyingKey::from(key.jwk()))
}

/// Signs `claims` under a header of the test's own making, as a key holder with other habits might.
fn sign_under_header(key: &SigningKey, header: &str, claims: &str) -> String {
    let signing_input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.key_pair().sign(signing_input.as_bytes());
    format!("{signing_input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn octets(base64url: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(base64url).unwrap()
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
