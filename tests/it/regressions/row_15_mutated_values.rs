//! A damaged value that is taken for the whole one (CVE-2026-27840): every character exchanged, every cut, every extension.

use mintmark::domain::Algorithm;

use super::Bench;
use crate::support::installation::{Installation, Plan};
use crate::support::registration::Credentials;

/// Characters that both alphabets have or lack.
const OTHERS: [char; 5] = ['A', 'b', '9', '_', '.'];

/// Every text that is `text` with one character exchanged, with an end cut off, or with a character more at an end.
fn mutations(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (position, was) in text.char_indices() {
        let (before, after) = (&text[..position], &text[position + 1..]);
        let flipped = char::from(u8::try_from(was).unwrap() ^ 1);
        all.push(format!("{before}{flipped}{after}"));
        let other = OTHERS
            .into_iter()
            .find(|other| *other != was && *other != flipped)
            .unwrap();
        all.push(format!("{before}{other}{after}"));
        all.push(format!("{before}{after}"));
        if position > 0 {
            all.push(before.to_owned());
            all.push(text[position..].to_owned());
        }
    }
    for more in ["A", "=", ".", " ", "\n", "\u{0}", "%00"] {
        all.push(format!("{text}{more}"));
        all.push(format!("{more}{text}"));
    }
    all.retain(|mutated| mutated != text);
    all
}

#[test]
fn no_mutation_of_a_secret_authenticates() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    assert_eq!(client.secret.len(), "mms_qa_".len() + 43 + 6);
    for secret in mutations(&client.secret) {
        let wrong = Credentials {
            secret,
            ..client.clone()
        };
        installation.token(&wrong).send().refused(401, "invalid_client");
    }
    assert_eq!(installation.token(&client).send().status, 200);
}

#[test]
fn no_mutation_of_a_token_is_confirmed() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let bench = Bench::of(Plan {
            algorithm,
            ..Plan::default()
        });
        for token in mutations(&bench.token) {
            bench.rejects("a mutation", &token);
        }
        assert!(bench.confirms(&bench.token));
    }
}

#[test]
fn no_mutation_of_a_token_revokes_it() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    for mutated in mutations(&token) {
        assert_eq!(installation.revoke(&client, &mutated).status, 200);
    }
    assert!(
        installation.is_active(&asking, &token),
        "nothing but the token itself ends it"
    );
}
