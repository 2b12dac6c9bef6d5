//! A store that cannot be followed: whoever asks meanwhile does not become a connection to it.

use std::pin::Pin;
use std::thread;
use std::time::Instant;

use tokio::time::timeout;

use super::*;

#[actix_web::test]
async fn however_many_ask_connections_are_opened_one_after_the_other_and_some_time_apart() {
    let store = SharedStore::default();
    let registry = replica(&store, AT_ONCE);
    store.deaf.store(true, Ordering::SeqCst);
    let (began, before) = (Instant::now(), store.followed.load(Ordering::SeqCst));
    for _ in 0..10 {
        assert!(registry.fresh().await.is_err());
    }
    let opened = store.followed.load(Ordering::SeqCst) - before;
    // One at once, and one for each twentieth of a second.
    let most = 1 + usize::try_from(began.elapsed().as_millis() / 50).unwrap();
    assert!((2..=most).contains(&opened), "{opened} of {most}");
    store.deaf.store(false, Ordering::SeqCst);
    assert!(registry.fresh().await.is_ok());
}

#[actix_web::test]
async fn where_the_pulse_has_broken_off_nobody_waits_for_it() {
    let store = SharedStore::default();
    let promise = Promise {
        patience: Duration::from_mins(10),
        ..AT_ONCE
    };
    let apply = Box::new(|_: &JournalEntry| panic!("the test wants it so"));
    let pulse = Pulse::start(Arc::new(store.clone()), known_of(&store), promise, apply).unwrap();
    assert!(pulse.beat().await.is_ok());
    registered(&replica(&store, AT_ONCE)).await;
    // The one that is waited for while it breaks off, and one that would be after that.
    for _ in 0..2 {
        let refused = timeout(Duration::from_mins(1), pulse.beat()).await;
        assert!(refused.expect("it does not wait").is_err());
    }
}

fn known_of(store: &SharedStore) -> Known {
    let mut known = None;
    store
        .read(&mut |records| {
            known = Some(Known::head(records)?);
            Ok(())
        })
        .unwrap();
    known.unwrap()
}

#[actix_web::test]
async fn beats_that_more_than_one_request_waits_for_lie_apart() {
    const ROUNDS: u32 = 50;
    let store = SharedStore::default();
    let apply = Box::new(|_: &JournalEntry| {});
    let pulse = Pulse::start(Arc::new(store.clone()), known_of(&store), AT_ONCE, apply).unwrap();
    for _ in 0..ROUNDS {
        let gate = store.gate.lock().unwrap();
        let asked = store.asked.load(Ordering::SeqCst);
        let mut waiting = vec![begun(pulse.beat())];
        while store.asked.load(Ordering::SeqCst) == asked {
            thread::yield_now();
        }
        // The beat under way began before these, so they wait for the next one together.
        for _ in 0..3 {
            waiting.push(begun(pulse.beat()));
        }
        let opened = Instant::now();
        drop(gate);
        for beat in waiting {
            assert!(beat.await.is_ok());
        }
        assert!(pulse.beat().await.is_ok());
        let waited = opened.elapsed();
        assert!(waited >= Duration::from_micros(200), "{waited:?}");
    }
}

/// The future after its first step.
fn begun<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let step = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(step.is_pending(), "it ended in one step");
    future
}
