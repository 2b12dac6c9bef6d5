//! A time claim of the wrong type taken for an absent one (CVE-2026-25537), under a signature that is right.

use super::Bench;
use crate::support::forge;

#[test]
fn a_time_that_is_no_number_of_seconds_makes_the_token_worthless() {
    let bench = Bench::new();
    for claim in ["exp", "nbf", "iat"] {
        for json in [
            "\"4000000300\"",
            "\"\"",
            "null",
            "true",
            "[]",
            "[4000000300]",
            "{}",
            "4000000000.5",
            "-1",
            "-4000000300",
            "1e300",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "253402300800",
        ] {
            let forged = forge::with_time(&bench.key, &bench.token, (claim, json));
            bench.rejects(&format!("{claim}: {json}"), &forged);
        }
        let whole = if claim == "exp" { "4.0000003e9" } else { "4.0e9" };
        let other_spelling = forge::with_time(&bench.key, &bench.token, (claim, whole));
        assert!(
            bench.confirms(&other_spelling),
            "{whole} is the very same number (RFC 7519 §2)"
        );
    }
}

#[test]
fn a_time_given_twice_is_no_time() {
    let bench = Bench::new();
    for claim in ["exp", "nbf", "iat"] {
        let twice = format!("4000000000,\"{claim}\":4000000299");
        bench.rejects(claim, &forge::with_time(&bench.key, &bench.token, (claim, &twice)));
    }
}
