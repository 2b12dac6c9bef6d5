//! An inactive answer that says more than that, in whatever form it is asked for (CVE-2026-37979, CVE-2026-18208).

use mintmark::domain::Environment::Qa;

use super::Bench;
use crate::support::oauth::INACTIVE;

#[test]
fn another_resource_servers_token_is_told_apart_from_nothing() {
    let bench = Bench::new();
    let client = bench.installation.client("acme").register();
    let other = bench
        .installation
        .token(&client)
        .param("scope", "stock:read")
        .send()
        .issued();
    let nonsense = bench.installation.introspect(&bench.asking, "x");
    for accept in [
        "application/json",
        "application/token-introspection+jwt",
        "application/jwt",
        "text/html",
        "*/*;q=0",
        "\u{a0}",
    ] {
        let request = bench
            .installation
            .form(Qa, "introspect")
            .basic(&bench.asking)
            .param("token", &other);
        let answer = request.header("Accept", accept).send();
        assert_eq!((answer.status, answer.text()), (200, INACTIVE), "{accept}");
        assert_eq!(answer.likeness(), nonsense.likeness(), "{accept}");
    }
}
