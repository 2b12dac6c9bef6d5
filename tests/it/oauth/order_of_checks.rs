//! The order of the checks, tested pair by pair: a request that is wrong in two ways shows the earlier error.

use mintmark::domain::Environment::Qa;

use crate::support::installation::Installation;
use crate::support::registration::Credentials;
use crate::support::wire::Answer;

/// The faults in the order in which they are looked for, and what each is answered with.
const FAULTS: [(Fault, u16, &str, &str); 9] = [
    (Fault::Size, 413, "invalid_request", "too large"),
    (
        Fault::MediaType,
        400,
        "invalid_request",
        "must be application/x-www-form-urlencoded",
    ),
    (Fault::Repeated, 400, "invalid_request", "more than once"),
    (Fault::TwoMethods, 400, "invalid_request", "exactly one way"),
    (Fault::Secret, 401, "invalid_client", "authentication failed"),
    (
        Fault::GrantType,
        400,
        "unsupported_grant_type",
        "only client_credentials",
    ),
    (Fault::Right, 400, "unauthorized_client", "may not use this grant"),
    (Fault::Resource, 400, "invalid_target", "resource"),
    (Fault::Scope, 400, "invalid_scope", "scope"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Size,
    MediaType,
    Repeated,
    TwoMethods,
    Secret,
    GrantType,
    Right,
    Resource,
    Scope,
}

/// Clients with and without the right to the grant.
struct Clients {
    entitled: Credentials,
    unentitled: Credentials,
}

fn ask(installation: &Installation, clients: &Clients, faults: &[Fault]) -> Answer {
    let has = |fault| faults.contains(&fault);
    let mut client = if has(Fault::Right) {
        &clients.unentitled
    } else {
        &clients.entitled
    }
    .clone();
    if has(Fault::Secret) {
        client.secret = if has(Fault::Right) {
            &clients.entitled
        } else {
            &clients.unentitled
        }
        .secret
        .clone();
    }
    let mut request = installation.form(Qa, "token").basic(&client);
    if has(Fault::MediaType) {
        request = request.header("Content-Type", "application/json");
    }
    if has(Fault::TwoMethods) {
        request = request.param("client_secret", &client.secret);
    }
    request = request.param(
        "grant_type",
        if has(Fault::GrantType) {
            "password"
        } else {
            "client_credentials"
        },
    );
    for (fault, piece) in [
        (Fault::Size, format!("padding={}", "x".repeat(70_000))),
        (Fault::Repeated, "twice=1&twice=1".to_owned()),
        (Fault::Resource, "resource=https://unknown.example.com".to_owned()),
        (Fault::Scope, "scope=unknown".to_owned()),
    ] {
        if has(fault) {
            request = request.raw(&piece);
        }
    }
    request.send()
}

#[test]
fn tok_27_of_two_faults_the_earlier_is_answered() {
    let installation = Installation::start();
    let clients = Clients {
        entitled: installation.client("acme").register(),
        unentitled: installation.resource_server("orders").register(),
    };
    assert_eq!(
        ask(&installation, &clients, &[]).status,
        200,
        "without a fault there is a token"
    );
    for (position, (earlier, status, error, said)) in FAULTS.into_iter().enumerate() {
        let later = FAULTS[position..].iter().map(|(fault, ..)| *fault);
        for later in later {
            let answer = ask(&installation, &clients, &[earlier, later]);
            assert_eq!(answer.status, status, "{earlier:?} and {later:?}: {}", answer.text());
            answer.refused(status, error);
            assert!(
                answer.text().contains(said),
                "{earlier:?} and {later:?}: {}",
                answer.text()
            );
        }
    }
}
