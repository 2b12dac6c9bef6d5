//! Differences in time that tell whether a client exists or a secret is nearly right (PR #1167 of Rauthy, dexidp/dex #1861).
//!
//! What is held: among those this replica remembers, strangers included, and among those it does not, all take as long. Between the two
//! lies a look-up in the store, and that shows: SECURITY.md says what may be learnt by it.
//!
//! Everyone who is refused is timed in turn, round by round, so that whatever else the machine does falls on all alike; the medians
//! are compared. The bound is generous: what it must catch is a look-up, a query or a slow digest that one of them is spared.

use std::time::{Duration, Instant};

use mintmark::authority::{Authority, Caller, PresentedCredentials, PresentedMethod, TokenRequest};
use mintmark::domain::Environment::Qa;
use mintmark::domain::{RequestId, Seconds};
use zeroize::Zeroizing;

use crate::support::installation::{Installation, Plan, START, block_on, sqlite};
use crate::support::registration::{Credentials, Window};

const ROUNDS: usize = 801;

/// How long the authority takes to refuse `credentials`.
async fn time_to_refuse(authority: &Authority, credentials: &Credentials) -> Duration {
    let caller = Caller {
        source: "192.0.2.1".parse().unwrap(),
        request_id: "timing-0001".parse::<RequestId>().unwrap(),
    };
    let secret = Zeroizing::new(credentials.secret.clone());
    let method = PresentedMethod::ClientSecretBasic;
    let presented = PresentedCredentials::new(credentials.client_id.clone(), secret, method);
    let request = TokenRequest {
        grant_type: Some("client_credentials"),
        ..TokenRequest::default()
    };
    let began = Instant::now();
    let outcome = authority.token(presented, request, &caller).await;
    let took = began.elapsed();
    assert!(outcome.is_err());
    took
}

/// Holds the medians together: the slowest may take half as long again as the fastest, and a little for the clock.
fn alike<'a>(times: impl Iterator<Item = (&'a str, &'a mut Vec<Duration>)>) {
    let medians: Vec<(&str, Duration)> = times.map(|(who, times)| (who, median(times))).collect();
    let fastest = medians.iter().map(|(_, time)| *time).min().unwrap();
    let slowest = medians.iter().map(|(_, time)| *time).max().unwrap();
    assert!(slowest < fastest * 3 / 2 + Duration::from_micros(2), "{medians:?}");
}

#[test]
fn tok_14_whoever_is_remembered_and_refused_waits_as_long_as_a_remembered_stranger() {
    let installation = Installation::start();
    let good = installation.client("acme").register();
    let refused = refused(&installation, &good);
    let authority = installation.authority(Qa);
    let mut times = vec![Vec::with_capacity(ROUNDS); refused.len()];
    block_on(async {
        for round in 0..=ROUNDS {
            for ((_, credentials), times) in refused.iter().zip(&mut times) {
                let took = time_to_refuse(&authority, credentials).await;
                // The first round fills what is remembered.
                if round > 0 {
                    times.push(took);
                }
            }
        }
    });
    alike(refused.iter().map(|(who, _)| *who).zip(&mut times));
}

/// Of someone never seen before nothing is remembered, and the store is asked: as often for a stranger as for a client.
#[test]
fn tok_14_whoever_is_not_remembered_waits_as_long_as_a_new_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let installation = Plan {
        store: sqlite(&folder),
        ..Plan::default()
    }
    .start();
    let secret = installation.client("acme").register().secret;
    let known: Vec<Credentials> = (0..150).map(|_| installation.client("acme").register()).collect();
    let authority = installation.authority(Qa);
    let mut times = [Vec::new(), Vec::new()];
    block_on(async {
        for (number, client) in known.into_iter().enumerate() {
            let wrong = Credentials {
                secret: secret.clone(),
                ..client
            };
            let stranger = Credentials {
                client_id: format!("qa-client-{number:010}"),
                ..wrong.clone()
            };
            times[0].push(time_to_refuse(&authority, &stranger).await);
            times[1].push(time_to_refuse(&authority, &wrong).await);
        }
    });
    alike(["a stranger", "a client"].into_iter().zip(&mut times));
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn refused(installation: &Installation, good: &Credentials) -> Vec<(&'static str, Credentials)> {
    let suspended = installation.client("acme").register();
    installation.suspend(&suspended);
    let revoked = installation.client("acme").register();
    installation.revoke_client(&revoked);
    let expired = installation.client("acme").expires_at(START).register();
    let of_suspended_partner = installation.client("globex").register();
    installation.suspend_partner("globex");
    let ended = installation
        .client("acme")
        .window(Window(START, Some(START)))
        .register();
    let not_yet = installation
        .client("acme")
        .window(Window(START + Seconds(1), None))
        .register();
    let stranger = Credentials {
        client_id: "qa-client-0000000000".to_owned(),
        ..good.clone()
    };
    let wrong = Credentials {
        secret: suspended.secret.clone(),
        ..good.clone()
    };
    vec![
        ("a stranger", stranger),
        ("a wrong secret", wrong),
        ("a suspended client", suspended),
        ("a revoked client", revoked),
        ("an expired client", expired),
        ("a client of a suspended partner", of_suspended_partner),
        ("an ended secret", ended),
        ("a secret whose time has not come", not_yet),
    ]
}
