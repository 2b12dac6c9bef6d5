//! A signing key that leaves the JWK set while tokens it signed are alive, or signs before verifiers can know it
//! (hashicorp/vault #11441). Weeks go by, a token is obtained at every step, and a verifier with the laziest lawful cache looks on.

use std::collections::BTreeSet;

use mintmark::domain::{Seconds, Timestamp};

use crate::support::installation::{Installation, MAX_AGE, START, block_on};
use crate::support::keys::ROTATE_EVERY;
use crate::support::oauth::header_of;
use crate::support::registration::Credentials;

/// The names in the JWK set as it is served now.
fn published(installation: &Installation) -> BTreeSet<String> {
    let set = installation.get("/qa/jwks").json();
    let keys = set["keys"].as_array().expect("keys is an array");
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// A token, with what a verifier needs to know of it.
struct Issued {
    token: String,
    kid: String,
    expires_at: Timestamp,
}

fn issue(installation: &Installation, client: &Credentials) -> Issued {
    let answer = installation.token(client).send();
    let expires_at = answer.claims()["exp"].as_i64().expect("exp is a number");
    Issued {
        kid: header_of(&answer.issued())["kid"].as_str().unwrap().to_owned(),
        token: answer.issued(),
        expires_at: Timestamp::from_seconds(expires_at),
    }
}

#[test]
fn a_verifier_with_a_cached_set_knows_the_key_of_every_token_that_is_alive() {
    let installation = Installation::start();
    let office = installation.office();
    let client = installation.client("acme").token_lifetime(3600).register();
    let asking = installation.resource_server("orders").register();
    let mut alive: Vec<Issued> = Vec::new();
    let mut sets: Vec<(Timestamp, BTreeSet<String>)> = Vec::new();
    let mut signed_with = BTreeSet::new();
    let end = START + Seconds(3 * ROTATE_EVERY.get());
    // Less than the max-age, and no part of an hour or a day: the looks wander through every phase of a rotation.
    let step = 571;
    while installation.now() < end {
        installation.clock.advance(step);
        block_on(office.tend_keys(installation.now())).unwrap();
        let issued = issue(&installation, &client);
        signed_with.insert(issued.kid.clone());
        alive.push(issued);
        sets.push((installation.now(), published(&installation)));
        let now = installation.now();
        alive.retain(|issued| now < issued.expires_at);
        sets.retain(|(at, _)| now <= *at + MAX_AGE);
        for issued in &alive {
            for (at, set) in &sets {
                assert!(
                    set.contains(&issued.kid),
                    "at {now} a set cached since {at} lacks the key of a living token"
                );
            }
        }
        assert!(
            installation.is_active(&asking, &alive[0].token),
            "the oldest of them still counts"
        );
    }
    assert!(signed_with.len() >= 3, "keys were rotated: {signed_with:?}");
    assert!(published(&installation).len() <= 3, "and the old ones left in the end");
}
