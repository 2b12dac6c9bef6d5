//! Input that reaches SQL, and keys that are the same everywhere (GHSA-r9w3-57w2-gch2, CVE-2026-33505), on a store that speaks SQL.

use mintmark::domain::Environment::Qa;

use crate::support::forge;
use crate::support::installation::{Installation, Plan, sqlite};
use crate::support::registration::Credentials;

#[test]
fn no_parameter_reaches_sql_as_sql() {
    let folder = tempfile::tempdir().unwrap();
    let installation = Plan {
        store: sqlite(&folder),
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    let key = installation.key_pair(Qa);
    for sql in [
        "' OR '1'='1",
        "x' OR 1=1 --",
        "'; DROP TABLE clients; --",
        "\" OR \"\"=\"",
        "x' UNION SELECT * FROM client_secrets --",
        "%",
        "_",
        "\\'",
        "\u{0}",
    ] {
        let named = Credentials {
            client_id: sql.to_owned(),
            ..client.clone()
        };
        installation.token(&named).send().refused(401, "invalid_client");
        let guessed = Credentials {
            secret: sql.to_owned(),
            ..client.clone()
        };
        installation.token(&guessed).send().refused(401, "invalid_client");
        installation
            .token(&client)
            .param("resource", sql)
            .send()
            .refused(400, "invalid_target");
        assert_eq!(installation.token(&client).param("scope", sql).send().status, 400);
        assert!(!installation.is_active(&asking, sql));
        for claim in ["jti", "client_id", "sub", "partnerId"] {
            let forged = forge::with_claims(&key, &token, |claims| claims[claim] = sql.into());
            assert!(!installation.is_active(&asking, &forged), "{claim} {sql}");
            assert_eq!(installation.revoke(&client, &forged).status, 200, "{claim} {sql}");
        }
    }
    assert!(installation.is_active(&asking, &token), "everything is still there");
    assert_eq!(installation.token(&client).send().status, 200);
}

#[test]
fn no_two_installations_share_a_key_or_a_pepper() {
    let (one, other) = (Installation::start(), Installation::start());
    let client = one.client("acme").register();
    let asking = other.resource_server("orders").register();
    assert!(!other.is_active(&asking, &one.issue(&client)));
    let (mine, theirs) = (one.pepper.digest(&client.secret), other.pepper.digest(&client.secret));
    assert!(!mine.matches(&theirs));
}
