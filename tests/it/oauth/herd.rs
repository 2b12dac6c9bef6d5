//! Many requests at once for one client that is not remembered: one reads, and what goes wrong with it harms no other.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};

use actix_web::rt::{Runtime, spawn};
use mintmark::domain::ClientId;
use mintmark::registry::{RegisteredClient, Registry};
use mintmark::store::{Sharing, StoreError};

use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan};
use crate::support::registration::Credentials;

const HERD: usize = 50;

fn over(store: &FaultyStore) -> Installation {
    Plan {
        store: Arc::new(store.clone()),
        ..Plan::default()
    }
    .start()
}

type Found = Result<Option<Arc<RegisteredClient>>, StoreError>;

async fn found(registry: Arc<Registry>, client_id: ClientId) -> Found {
    registry.fresh().await?.client(&client_id).await
}

fn client_id(client: &Credentials) -> ClientId {
    client.client_id.parse().unwrap()
}

/// What each of a herd gets that asks for `client_id` at once.
fn herd(installation: &Installation, client_id: &ClientId) -> Vec<Found> {
    Runtime::new().unwrap().block_on(async {
        let asked = (0..HERD).map(|_| spawn(found(Arc::clone(&installation.registry), client_id.clone())));
        let mut answers = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            answers.push(answer.await.unwrap());
        }
        answers
    })
}

#[test]
fn a_herd_reads_a_client_once_and_a_stranger_once() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = over(&store);
    let client = client_id(&installation.client("acme").register());
    let before = store.calls();
    assert!(
        herd(&installation, &client)
            .iter()
            .all(|found| found.as_ref().unwrap().is_some())
    );
    assert_eq!(store.calls(), before + 1);
    let stranger = "qa-nobody-0000000000".parse().unwrap();
    assert!(
        herd(&installation, &stranger)
            .iter()
            .all(|found| found.as_ref().unwrap().is_none())
    );
    assert_eq!(store.calls(), before + 2);
}

/// The client is suspended while the one who reads it for all is reading.
#[test]
fn a_commit_during_the_reading_is_seen_by_the_whole_herd() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let store = FaultyStore::new(sharing);
        let installation = Arc::new(over(&store));
        let client = installation.client("acme").register();
        let suspended = mintmark::domain::Mutation::ClientSuspended(installation.record(&client).suspended().unwrap());
        let (registry, attribution) = (
            Arc::clone(&installation.registry),
            crate::support::installation::attribution(&installation),
        );
        store.meanwhile(move || {
            let decide = move |_: &mut dyn mintmark::store::Records| Ok((Some(suspended.clone().into()), ()));
            crate::support::installation::block_on(registry.commit(attribution, decide)).unwrap();
        });
        let before = store.calls();
        for found in herd(&installation, &client_id(&client)) {
            let found = found.unwrap().unwrap();
            assert!(
                !found.is_live(installation.now()),
                "{sharing:?}: a client as it was before"
            );
        }
        let calls = store.calls() - before;
        // One reading in vain, the commit, one reading that counts. Where others write too, the commit is applied when it is made and
        // again when the journal tells of it, which costs those who read in between another turn.
        match sharing {
            Sharing::Sole => assert_eq!(calls, 3),
            Sharing::Shared => assert!(calls < HERD / 2, "{calls}"),
        }
    }
}

#[test]
fn a_reading_that_fails_fails_nobody_later() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = over(&store);
    let client = client_id(&installation.client("acme").register());
    store.set(Fault::Unreadable);
    assert!(herd(&installation, &client).iter().all(Result::is_err));
    store.set(Fault::Nothing);
    assert!(
        herd(&installation, &client)
            .iter()
            .all(|found| found.as_ref().unwrap().is_some())
    );
}

#[test]
fn a_reading_that_is_given_up_leaves_its_turn_to_the_next() {
    let store = FaultyStore::new(Sharing::Sole);
    let installation = over(&store);
    let client = client_id(&installation.client("acme").register());
    let (read_on, held_up) = mpsc::channel::<Infallible>();
    store.meanwhile(move || {
        let _ = held_up.recv();
    });
    Runtime::new().unwrap().block_on(async {
        {
            let mut given_up = pin!(found(Arc::clone(&installation.registry), client.clone()));
            assert!(
                given_up
                    .as_mut()
                    .poll(&mut Context::from_waker(Waker::noop()))
                    .is_pending()
            );
        }
        drop(read_on);
        assert!(
            found(Arc::clone(&installation.registry), client.clone())
                .await
                .unwrap()
                .is_some()
        );
    });
}
