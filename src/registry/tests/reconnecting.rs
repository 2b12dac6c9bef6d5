//! A store that cannot be followed: whoever asks meanwhile does not become a connection to it.

use std::time::Instant;

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
