//! What is remembered of tokens, and that nothing remembered outlives its truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use mintmark::authority::{Caller, Introspection, PresentedCredentials, PresentedMethod};
use mintmark::domain::Environment::Qa;
use mintmark::domain::{Algorithm, Environment, Mutation, RequestId, RevokedToken};
use mintmark::registry::Registry;
use mintmark::store::Sharing;
use zeroize::Zeroizing;

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::forge;
use crate::support::installation::{Installation, Plan, block_on};
use crate::support::oauth::claims_of;
use crate::support::registration::Credentials;

/// A series of the metrics, as it stands now.
fn series(registry: &Registry, name: &str) -> u64 {
    let metrics = registry.metrics().render();
    let value = metrics
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value
        .unwrap_or_else(|| panic!("{name} is in {metrics}"))
        .parse()
        .unwrap()
}

/// How many signatures were computed, and how many were known to be right.
fn verified(installation: &Installation) -> (u64, u64) {
    let of = |result| {
        series(
            &installation.registry,
            &format!("mintmark_verified_tokens_total{{result=\"{result}\"}}"),
        )
    };
    (of("miss"), of("hit"))
}

fn on(store: &FaultyStore) -> Plan {
    Plan {
        store: Arc::new(store.clone()),
        ..Plan::default()
    }
}

#[test]
fn the_signature_of_a_token_is_computed_once() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    for _ in 0..4 {
        assert!(installation.is_active(&asking, &token));
    }
    assert_eq!(verified(&installation), (1, 3));
    assert_eq!(installation.revoke(&client, &token).status, 200);
    assert_eq!(verified(&installation), (1, 4));
    assert!(!installation.is_active(&asking, &token));
}

#[test]
fn what_differs_from_a_known_token_in_one_octet_is_not_taken_for_it() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert!(installation.is_active(&asking, &token));
    let dots: Vec<_> = token.match_indices('.').map(|(at, _)| at).collect();
    for at in [0, dots[0] + 20, dots[1] + 1, token.len() / 2] {
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        let altered = [&token[..at], other, &token[at + 1..]].concat();
        for _ in 0..2 {
            assert!(!installation.is_active(&asking, &altered), "octet {at}");
        }
    }
    assert_eq!(
        verified(&installation).1,
        0,
        "and a token that did not verify is not remembered"
    );
}

#[test]
fn a_remembered_token_ends_with_its_time_its_client_and_its_key() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(60).register();
    let asking = installation.resource_server("orders").register();
    let expiring = installation.issue(&client);
    assert!(installation.is_active(&asking, &expiring));
    installation.clock.advance(60);
    assert!(!installation.is_active(&asking, &expiring));
    let token = installation.issue(&client);
    assert!(installation.is_active(&asking, &token));
    installation.suspend(&client);
    assert!(!installation.is_active(&asking, &token));
    installation.reinstate(&client);
    assert!(installation.is_active(&asking, &token));
    installation.revoke_key(Qa);
    assert!(!installation.is_active(&asking, &token));
    installation.rotate_key(Qa, Algorithm::Es256);
    assert!(
        !installation.is_active(&asking, &token),
        "nor does another key bring it back"
    );
}

#[test]
fn a_remembered_token_is_of_one_environment() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let elsewhere = installation.resource_server("orders").in_production().register();
    let token = installation.issue(&client);
    for _ in 0..2 {
        assert!(installation.is_active(&asking, &token));
        assert!(!installation.is_active(&elsewhere, &token));
    }
}

#[test]
fn warm_introspection_asks_no_store() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let store = FaultyStore::new(sharing);
        let installation = on(&store).start();
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let (good, ended) = (installation.issue(&client), installation.issue(&client));
        assert_eq!(installation.revoke(&client, &ended).status, 200);
        assert!(installation.is_active(&asking, &good));
        assert_eq!(
            installation.get("/.well-known/oauth-authorization-server/qa").status,
            200
        );
        let warm = store.calls();
        for _ in 0..3 {
            assert!(installation.is_active(&asking, &good));
            assert!(!installation.is_active(&asking, &ended));
            // A token nobody has shown before is verified, and no more.
            assert!(installation.is_active(&asking, &installation.issue(&client)));
            assert_eq!(
                installation.get("/.well-known/oauth-authorization-server/qa").status,
                200
            );
        }
        assert_eq!(store.calls(), warm, "{sharing:?}");
    }
}

#[test]
fn the_metadata_shows_an_api_that_changed() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = on(&store).start();
    let scopes = || installation.get("/.well-known/oauth-authorization-server/qa").json()["scopes_supported"].clone();
    assert_eq!(
        scopes(),
        serde_json::json!(["billing:read", "orders:read", "orders:write", "stock:read"])
    );
    let mut stock = installation.api(Qa, "stock");
    stock.scopes = "stock:count".parse().unwrap();
    // The change is made while the metadata is being read again after another one.
    installation.commit(Mutation::ApiChanged(installation.api(Qa, "orders")));
    let registry = Arc::clone(&installation.registry);
    let attribution = crate::support::installation::attribution(&installation);
    store.meanwhile(move || {
        let decide =
            move |_: &mut dyn mintmark::store::Records| Ok((Some(Mutation::ApiChanged(stock.clone()).into()), ()));
        block_on(registry.commit(attribution, decide)).unwrap();
    });
    let changed = serde_json::json!(["billing:read", "orders:read", "orders:write", "stock:count"]);
    assert_eq!(scopes(), changed);
    assert_eq!(scopes(), changed);
}

#[test]
fn what_was_revoked_before_the_start_is_known_after_it() {
    let store = FaultyStore::new(Sharing::Shared);
    let before = on(&store).start();
    let client = before.client("acme").register();
    let asking = before.resource_server("orders").register();
    let tokens: Vec<_> = (0..4).map(|_| before.issue(&client)).collect();
    for token in &tokens[..3] {
        assert_eq!(before.revoke(&client, token).status, 200);
    }
    let after = before.replica(Arc::new(store.clone()));
    assert_eq!(after.registry.revoked_tokens(), 3);
    let active: Vec<_> = tokens.iter().map(|token| after.is_active(&asking, token)).collect();
    assert_eq!(active, [false, false, false, true]);
    assert_eq!(series(&after.registry, "mintmark_revoked_token_reads_total"), 0);
}

#[test]
fn about_what_does_not_fit_the_store_is_asked() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = Plan {
        revoked: 2,
        ..on(&store)
    }
    .start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let tokens: Vec<_> = (0..5).map(|_| installation.issue(&client)).collect();
    for token in &tokens[..4] {
        assert_eq!(installation.revoke(&client, token).status, 200);
    }
    assert_eq!(installation.registry.revoked_tokens(), 2);
    let active = || {
        tokens
            .iter()
            .map(|token| installation.is_active(&asking, token))
            .collect::<Vec<_>>()
    };
    assert_eq!(active(), [false, false, false, false, true]);
    assert_eq!(series(&installation.registry, "mintmark_revoked_token_reads_total"), 3);
    // None of those that did not fit ends as late as this one.
    installation.clock.advance(1);
    let later = installation.issue(&client);
    assert!(installation.is_active(&asking, &later));
    assert_eq!(series(&installation.registry, "mintmark_revoked_token_reads_total"), 3);
    // And where the store would have to be asked and does not answer, there is no yes.
    store.set(Fault::Unreadable);
    installation
        .introspect(&asking, &tokens[4])
        .refused(503, "temporarily_unavailable");
    installation
        .introspect(&asking, &tokens[3])
        .refused(503, "temporarily_unavailable");
    assert!(!installation.is_active(&asking, &tokens[0]) && installation.is_active(&asking, &later));
}

#[test]
fn after_a_commit_whose_end_is_unknown_the_store_is_asked_until_it_has_been_read() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = on(&store).start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let (ended, good) = (installation.issue(&client), installation.issue(&client));
    assert!(installation.is_active(&asking, &ended));
    store.set(Fault::AfterWriting);
    installation
        .revoke(&client, &ended)
        .refused(503, "temporarily_unavailable");
    store.set(Fault::Nothing);
    for _ in 0..2 {
        assert!(!installation.is_active(&asking, &ended) && installation.is_active(&asking, &good));
    }
    assert_eq!(series(&installation.registry, "mintmark_revoked_token_reads_total"), 4);
    block_on(installation.registry.tidy(installation.now())).unwrap();
    let read_again = store.calls();
    assert!(!installation.is_active(&asking, &ended) && installation.is_active(&asking, &good));
    assert_eq!(store.calls(), read_again);
}

#[test]
fn what_expired_is_forgotten_here_as_in_the_store() {
    let installation = Installation::start();
    let client = installation.client("acme").token_lifetime(60).register();
    let token = installation.issue(&client);
    assert_eq!(installation.revoke(&client, &token).status, 200);
    for (passed, left) in [(119, 1), (1, 0)] {
        installation.clock.advance(passed);
        block_on(installation.registry.tidy(installation.now())).unwrap();
        assert_eq!(installation.registry.revoked_tokens(), left);
        let jti = claims_of(&token)["jti"].as_str().unwrap().parse().unwrap();
        let kept = installation.read(move |records| records.revoked_token(&jti));
        assert_eq!(kept.is_some(), left == 1);
    }
}

/// The token is revoked while its introspection waits for the store.
#[test]
fn a_revocation_during_an_introspection_is_seen() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = on(&store).start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let token = installation.issue(&client);
    assert!(installation.is_active(&asking, &token));
    installation.narrow(&client, "orders:read");
    let claims = claims_of(&token);
    let text = |name: &str| claims[name].as_str().unwrap();
    let revoked = Mutation::TokenRevoked(RevokedToken {
        jti: text("jti").parse().unwrap(),
        client_id: text("client_id").parse().unwrap(),
        partner_id: text("partnerId").parse().unwrap(),
        environment: Qa,
        expires_at: mintmark::domain::Timestamp::from_seconds(claims["exp"].as_i64().unwrap()),
    });
    let registry = Arc::clone(&installation.registry);
    let attribution = crate::support::installation::attribution(&installation);
    store.meanwhile(move || {
        let decide = move |_: &mut dyn mintmark::store::Records| Ok((Some(revoked.clone().into()), ()));
        block_on(registry.commit(attribution, decide)).unwrap();
    });
    assert!(!installation.is_active(&asking, &token));
}

/// Threads verify tokens without a pause while the key that signed them is revoked. Whoever begins after that gets no yes, though a
/// verification that began before may end after.
#[test]
fn no_verification_outlives_its_key() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let asking = installation.resource_server("orders").register();
    let authority = installation.authority(Qa);
    for round in 0..20 {
        let key = installation.key_pair(Qa);
        let token = installation.issue(&client);
        let revoked = AtomicBool::new(false);
        let confirmed = AtomicUsize::new(0);
        thread::scope(|scope| {
            for number in 0..3 {
                let (authority, asking, key, token) = (&authority, &asking, &key, &token);
                let (revoked, confirmed) = (&revoked, &confirmed);
                scope.spawn(move || {
                    let mut last = false;
                    let mut turn = 0;
                    while !last {
                        last = revoked.load(Ordering::SeqCst);
                        turn += 1;
                        // One that is remembered, and one that never was.
                        let fresh = forge::with_claims(key, token, |claims| {
                            claims["iat"] = (4_000_000_000_i64 - turn * 3 - number).into();
                        });
                        for shown in [token, &fresh] {
                            let active = confirms(authority, asking, shown);
                            assert!(!(last && active), "round {round}: confirmed after its key was revoked");
                            confirmed.fetch_add(usize::from(active), Ordering::SeqCst);
                        }
                    }
                });
            }
            while confirmed.load(Ordering::SeqCst) < 6 {
                thread::yield_now();
            }
            installation.revoke_key(Qa);
            revoked.store(true, Ordering::SeqCst);
        });
        installation.rotate_key(Qa, Algorithm::EdDsa);
        assert!(!confirms(&authority, &asking, &token));
    }
}

fn confirms(authority: &mintmark::authority::Authority, asking: &Credentials, token: &str) -> bool {
    assert_eq!(asking.environment, Environment::Qa);
    let secret = Zeroizing::new(asking.secret.clone());
    let presented = PresentedCredentials::new(asking.client_id.clone(), secret, PresentedMethod::ClientSecretBasic);
    let caller = Caller {
        source: "192.0.2.1".parse().unwrap(),
        request_id: RequestId::mint(&mintmark::ambient::SystemEntropy::new()),
    };
    let answer = block_on(authority.introspect(presented, Some(token), &caller)).unwrap();
    matches!(answer, Introspection::Active(_))
}
