//! What a warm server does without its store: promise 1, issuing a token reads no disk; and what makes it cold again.

use std::sync::Arc;
use std::time::Duration;

use mintmark::store::Sharing;

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan};

fn counting(sharing: Sharing) -> (FaultyStore, Installation) {
    let store = FaultyStore::new(sharing);
    let plan = Plan {
        store: Arc::new(store.clone()),
        patience: Duration::from_secs(10),
        ..Plan::default()
    };
    (store, plan.start())
}

#[test]
fn a_warm_token_request_makes_no_call_to_the_store() {
    let (store, installation) = counting(Sharing::Sole);
    let client = installation.client("acme").register();
    let before = store.calls();
    installation.issue(&client);
    assert!(store.calls() > before, "the first request reads the client");
    // From here on every call would fail, and would be counted.
    store.set(Fault::Unreadable);
    let warm = store.calls();
    for _ in 0..3 {
        assert_eq!(installation.token(&client).send().status, 200);
        let request = installation.token(&client).param("scope", "orders:read");
        assert_eq!(request.send().claims()["scope"], "orders:read");
    }
    assert_eq!(store.calls(), warm);
}

/// What a commit that failed leaves of what was remembered.
#[test]
fn a_commit_that_wrote_nothing_makes_nothing_cold() {
    for (sharing, fault, cold) in [
        (Sharing::Sole, Fault::BeforeWriting, false),
        (Sharing::Sole, Fault::AfterWriting, true),
        (Sharing::Shared, Fault::BeforeWriting, false),
        (Sharing::Shared, Fault::AfterWriting, false),
    ] {
        let (store, installation) = counting(sharing);
        let client = installation.client("acme").register();
        let token = installation.issue(&client);
        store.set(fault);
        installation
            .revoke(&client, &token)
            .refused(503, "temporarily_unavailable");
        store.set(Fault::Nothing);
        let before = store.calls();
        installation.issue(&client);
        assert_eq!(store.calls() > before, cold, "{sharing:?} {fault:?}");
    }
}
