//! No neighbour of a token is a token: each byte flipped, cut, doubled or followed by another.

use super::*;

/// Both tails of base64url occur: a payload whose length leaves one octet over, and one that leaves two.
const PAYLOADS: [&[u8]; 2] = [br#"{"sub":"mmc-12"}"#, br#"{"sub":"mmc-123"}"#];

fn tokens() -> impl Iterator<Item = (&'static SigningKey, String)> {
    Algorithm::ALL.into_iter().flat_map(|algorithm| {
        PAYLOADS.map(|payload| (KEYS.of(algorithm), KEYS.of(algorithm).sign_compact(payload).unwrap()))
    })
}

#[test]
fn the_token_itself_is_read() {
    for (key, token) in tokens() {
        assert!(read(&token, key).is_ok());
    }
}

/// Each byte is replaced by all that differ from it in one bit and by characters that lenient decoders skip or fold.
#[test]
fn a_changed_byte_is_refused() {
    for (key, token) in tokens() {
        for position in 0..token.len() {
            let original = token.as_bytes()[position];
            let neighbours = (0..7).map(|bit| original ^ (1 << bit));
            for replacement in neighbours.chain(*b"A_-.=+/ \n\0").filter(|byte| *byte != original) {
                let mut changed = token.clone().into_bytes();
                changed[position] = replacement;
                let changed = String::from_utf8(changed).unwrap();
                assert!(read(&changed, key).is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn a_missing_byte_is_refused() {
    for (key, token) in tokens() {
        for position in 0..token.len() {
            assert!(read(&token[..position], key).is_err());
            assert!(read(&token[position + 1..], key).is_err());
            let mut cut = token.clone();
            cut.remove(position);
            assert!(read(&cut, key).is_err(), "{cut}");
        }
    }
}

#[test]
fn an_added_byte_is_refused() {
    for (key, token) in tokens() {
        for position in 0..=token.len() {
            for added in ['A', '.', '=', ' ', '\n', '\0', 'é', '\u{feff}'] {
                let mut extended = token.clone();
                extended.insert(position, added);
                assert!(read(&extended, key).is_err(), "{extended}");
            }
        }
    }
}

/// RFC 7515 §7.2: the JSON serialisations, and the encrypted form of RFC 7516 §7.1, are other languages.
#[test]
fn other_serialisations_are_refused() {
    let key = KEYS.of(Algorithm::Es256);
    let token = key.sign_compact(b"{}").unwrap();
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("a compact JWS has three parts");
    };
    let others = [
        format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{header}.{payload}."),
        "..".to_owned(),
        String::new(),
    ];
    for other in others {
        assert_eq!(read(&other, key).unwrap_err(), JwsError::NotThreeParts, "{other}");
    }
    for dressed in [format!("Bearer {token}"), format!("\"{token}\"")] {
        assert_eq!(read(&dressed, key).unwrap_err(), JwsError::NotBase64Url, "{dressed}");
    }
}

/// CVE-2025-27144 and CVE-2025-30204: many full stops, and many bytes, cost nothing.
#[test]
fn the_length_is_bounded() {
    let key = KEYS.of(Algorithm::EdDsa);
    let sized = |claim: usize| key.sign_compact(format!(r#"{{"a":"{}"}}"#, "x".repeat(claim)).as_bytes());
    let fixed = sized(0).unwrap().len();
    // Base64url turns three octets into four characters; the payload's own eight octets take eleven of them.
    let most = (LONGEST_COMPACT_JWS - fixed) / 4 * 3;
    let longest = sized(most).unwrap();
    assert!(longest.len() <= LONGEST_COMPACT_JWS && longest.len() > LONGEST_COMPACT_JWS - 4);
    assert!(read(&longest, key).is_ok());
    assert_eq!(sized(most + 3), Err(TooManyClaims));
    assert_eq!(read(&format!("{longest}AAAA"), key).unwrap_err(), JwsError::TooLong);
    assert_eq!(read(&".".repeat(10 << 20), key).unwrap_err(), JwsError::TooLong);
    assert_eq!(read(&".".repeat(8192), key).unwrap_err(), JwsError::NotThreeParts);
    let nested = key
        .sign_compact(format!("{}1{}", "{\"a\":".repeat(800), "}".repeat(800)).as_bytes())
        .unwrap();
    assert_eq!(read(&nested, key).unwrap_err(), JwsError::Payload(JsonFault::Malformed));
}
