//! Real clients against the running program: each obtains a token as its ecosystem does it, is refused with a wrong secret, and
//! verifies the token as a resource server. `tests/clients/README.md` says what each of them does.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::calls::AUDIENCE;
use crate::support::server::Installation;

/// Runs `client` against a server whose QA environment signs with `algorithm`.
fn verifies(mut client: Command, algorithm: &str) {
    let installation = Installation::sqlite()
        .with("environments.qa.algorithm", algorithm)
        .reachable();
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let credentials = admin.client("qa");
    let output = client
        .env("ISSUER", server.public_url("/qa"))
        .env("CLIENT_ID", &credentials.client_id)
        .env("CLIENT_SECRET", &credentials.secret)
        .env("SCOPE", "orders:read")
        .env("AUDIENCE", AUDIENCE)
        // The server is on this machine, whatever proxy leads out of it.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap_or_else(|error| {
            panic!("{client:?} does not start ({error}): run scripts/test.sh, which prepares the clients")
        });
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{out}\n{err}");
    let told: Value = serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}\n{err}"));
    assert_eq!(
        told,
        json!({ "verified": true, "partnerId": "acme", "scope": "orders:read" })
    );

    // It was refused once and served once, and the algorithm is the one that was to be tried.
    let keys = admin.list("/keys?environment=qa");
    assert!(keys.iter().all(|key| key["algorithm"] == algorithm), "{keys:?}");
    let metrics = crate::support::calls::Caller::new()
        .get(&server.admin_url("/metrics"))
        .text;
    for (outcome, count) in [("issued", 1), ("invalid_client", 1)] {
        let series = format!("mintmark_tokens_total{{environment=\"qa\",outcome=\"{outcome}\"}} {count}");
        assert!(
            metrics.lines().any(|line| line == series),
            "{series} is not in\n{metrics}"
        );
    }
}

/// What scripts/test.sh has prepared.
pub fn prepared(variable: &str) -> OsString {
    std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run scripts/test.sh, which prepares the clients and sets it"))
}

fn source(file: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(file)
}

fn python() -> Command {
    let mut command = Command::new(prepared("MINTMARK_TEST_PYTHON"));
    command.arg(source("client.py"));
    command
}

fn node() -> Command {
    let mut command = Command::new("node");
    command.arg(prepared("MINTMARK_TEST_NODE_CLIENT"));
    command
}

fn go() -> Command {
    Command::new(prepared("MINTMARK_TEST_GO_CLIENT"))
}

fn curl() -> Command {
    let mut command = Command::new("bash");
    command.arg(source("client.sh"));
    command
}

/// Which client verifies what. Go's library has no EdDSA; the one in shell verifies ES256, which every client must.
macro_rules! verify {
    ($($name:ident: $client:ident $algorithm:literal,)*) => {
        mod sqlite {
            $(#[test] fn $name() { super::verifies(super::$client(), $algorithm); })*
        }
    };
}

verify! {
    python_verifies_es256: python "ES256",
    python_verifies_eddsa: python "EdDSA",
    python_verifies_rs256: python "RS256",
    python_verifies_ps256: python "PS256",
    node_verifies_es256: node "ES256",
    node_verifies_eddsa: node "EdDSA",
    node_verifies_rs256: node "RS256",
    node_verifies_ps256: node "PS256",
    go_verifies_es256: go "ES256",
    go_verifies_rs256: go "RS256",
    go_verifies_ps256: go "PS256",
    curl_verifies_es256: curl "ES256",
}
