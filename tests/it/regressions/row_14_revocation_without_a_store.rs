//! Revocation that says 200 although nothing was stored (CVE-2020-15223), and other commits whose end is uncertain.

use std::sync::Arc;
use std::time::Duration;

use mintmark::domain::Mutation;
use mintmark::store::Sharing;

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan};

/// An installation over a store that fails on order, and never waits for it for long.
fn failing(sharing: Sharing) -> (FaultyStore, Installation) {
    let store = FaultyStore::new(sharing);
    let plan = Plan {
        store: Arc::new(store.clone()),
        patience: Duration::from_millis(400),
        ..Plan::default()
    };
    (store, plan.start())
}

#[test]
fn no_fault_of_the_store_lets_revocation_say_200() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        for fault in [Fault::BeforeWriting, Fault::AfterWriting, Fault::Stalling] {
            let (store, installation) = failing(sharing);
            let client = installation.client("acme").register();
            let asking = installation.resource_server("orders").register();
            let token = installation.issue(&client);
            assert!(installation.is_active(&asking, &token));
            store.set(fault);
            let answer = installation.revoke(&client, &token);
            answer.refused(503, "temporarily_unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"), "{fault:?}");
            store.set(Fault::Nothing);
            assert_eq!(
                installation.revoke(&client, &token).status,
                200,
                "{fault:?}: asked again, it is done"
            );
            assert!(!installation.is_active(&asking, &token), "{fault:?}");
        }
    }
}

/// Where others write too, what is remembered may be out of date. Where nobody else does, it is all there is.
#[test]
fn a_store_that_cannot_be_read_revokes_nothing_and_confirms_no_more_than_is_known() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let (store, installation) = failing(sharing);
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let (token, ended) = (installation.issue(&client), installation.issue(&client));
        assert_eq!(installation.revoke(&client, &ended).status, 200);
        assert!(installation.is_active(&asking, &token));
        store.set(Fault::Unreadable);
        match sharing {
            Sharing::Sole => {
                assert!(installation.is_active(&asking, &token) && !installation.is_active(&asking, &ended));
            }
            Sharing::Shared => {
                for token in [&token, &ended] {
                    let answer = installation.introspect(&asking, token);
                    answer.refused(503, "temporarily_unavailable");
                }
            }
        }
        installation
            .revoke(&client, &token)
            .refused(503, "temporarily_unavailable");
        store.set(Fault::Nothing);
        assert!(installation.is_active(&asking, &token));
        assert!(!installation.is_active(&asking, &ended));
    }
}

/// The commit is reported as failed, and yet was written. Who asks again is told that it is done already; so it must be.
#[test]
fn a_change_that_was_written_counts_although_its_commit_failed() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let (store, installation) = failing(sharing);
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let token = installation.issue(&client);
        let suspended = Mutation::ClientSuspended(installation.record(&client).suspended().unwrap());
        store.set(Fault::AfterWriting);
        assert!(installation.try_commit(suspended).is_err());
        store.set(Fault::Nothing);
        assert!(installation.record(&client).suspended().is_err(), "the store has it");
        installation.token(&client).send().refused(401, "invalid_client");
        assert!(!installation.is_active(&asking, &token));
    }
}

#[test]
fn a_key_whose_revocation_was_written_is_out_although_its_commit_failed() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let (store, installation) = failing(sharing);
        let client = installation.client("acme").register();
        let asking = installation.resource_server("orders").register();
        let token = installation.issue(&client);
        store.set(Fault::AfterWriting);
        assert!(installation.try_revoke_key(mintmark::domain::Environment::Qa).is_err());
        store.set(Fault::Nothing);
        assert!(!installation.is_active(&asking, &token));
        installation
            .token(&client)
            .send()
            .refused(503, "temporarily_unavailable");
        assert_eq!(installation.get("/qa/jwks").text(), r#"{"keys":[]}"#);
    }
}
