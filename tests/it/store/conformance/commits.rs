//! One mutation, one transaction, one epoch, one journal row.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mintmark::domain::{Epoch, Mutation, Refusal};
use mintmark::store::{CommitError, JournalFilter, Known, Order, Page, PartnerFilter, Store, StoreError};

use crate::store::samples::{acme, attribution, commit, partner, read};

pub fn a_refusal_changes_nothing(store: &dyn Store) {
    acme(store);
    for refusal in [Refusal::Stale, Refusal::KeyReused] {
        let refused = store.commit(&attribution(), &mut |_| Err(refusal.clone().into()));
        assert!(matches!(refused, Err(CommitError::Refused(kept)) if kept == refusal));
    }
    let failed = store.commit(&attribution(), &mut |_| {
        Err(StoreError::Unavailable("a reason".to_owned()).into())
    });
    assert!(matches!(failed, Err(CommitError::Store(StoreError::Unavailable(reason))) if reason == "a reason"));
    assert_eq!(read(store, |records| records.epoch()), Epoch::new(2));
    let next = commit(store, Mutation::PartnerRegistered(partner("next"))).unwrap();
    assert_eq!(next.epoch, Epoch::new(3));
}

pub fn nothing_to_do_takes_no_epoch(store: &dyn Store) {
    acme(store);
    assert_eq!(store.commit(&attribution(), &mut |_| Ok(None)).unwrap(), None);
    assert_eq!(read(store, |records| records.epoch()), Epoch::new(2));
    assert_eq!(
        read(store, |records| records
            .journal(&JournalFilter::default(), &Page::first(9)))
        .len(),
        2
    );
}

pub fn a_decision_sees_the_head_before_it(store: &dyn Store) {
    acme(store);
    let mut seen = None;
    store
        .commit(&attribution(), &mut |records| {
            let journal = records.journal(&JournalFilter::default(), &Page::first(9))?;
            seen = Some((records.epoch()?, journal.len()));
            Ok(Some(Mutation::PartnerRegistered(partner("next")).into()))
        })
        .unwrap();
    assert_eq!(seen, Some((Epoch::new(2), 2)));
    assert_eq!(read(store, |records| records.epoch()), Epoch::new(3));
}

pub fn a_panic_while_deciding_changes_nothing(store: &dyn Store) {
    acme(store);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        store.commit(&attribution(), &mut |_| panic!("a decision of the tests goes wrong"))
    }));
    assert!(panicked.is_err());
    let next = commit(store, Mutation::PartnerRegistered(partner("next"))).unwrap();
    assert_eq!(next.epoch, Epoch::new(3));
}

pub fn concurrent_commits_form_one_unbroken_chain(store: &dyn Store) {
    const THREADS: usize = 8;
    const EACH: usize = 6;
    // Each partner is named by how many there are already. A decision that missed an earlier commit would choose its name again.
    let register = || {
        store.commit(&attribution(), &mut |records| {
            let count = records.partners(&PartnerFilter::default(), &Page::first(1000))?.len();
            assert_eq!(records.epoch()?, Epoch::new(i64::try_from(count).unwrap()));
            Ok(Some(Mutation::PartnerRegistered(partner(&format!("p-{count}"))).into()))
        })
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..EACH).for_each(|_| drop(register().unwrap())));
        }
    });
    let journal = read(store, |records| {
        records.journal(&JournalFilter::default(), &Page::first(1000))
    });
    assert_eq!(journal.len(), THREADS * EACH);
    let mut before = None;
    for (number, entry) in journal.iter().enumerate() {
        assert_eq!(entry.follows(before), Ok(()));
        assert_eq!(entry.subject, format!("p-{number}"));
        before = Some(entry);
    }
}

pub fn the_follower_reads_what_came_after(store: &dyn Store) {
    let mut follower = store.follower().unwrap();
    assert_eq!(follower.after(Known::NOTHING, 10).unwrap(), []);
    acme(store);
    let third = commit(store, Mutation::PartnerRegistered(partner("next"))).unwrap();
    let all = follower.after(Known::NOTHING, 10).unwrap();
    assert_eq!(
        all,
        read(store, |records| records
            .journal(&JournalFilter::default(), &Page::first(9)))
    );
    assert_eq!(follower.after(Known::NOTHING, 2).unwrap(), all[..2]);
    assert_eq!(follower.after(Known::from(&all[1]), 2).unwrap(), all[2..]);
    assert_eq!(follower.after(Known::from(&third), 2).unwrap(), []);
    assert_eq!(Known::from(&third), read(store, |records| Known::head(records)));
    let newest = JournalFilter {
        order: Order::NewestFirst,
        ..JournalFilter::default()
    };
    assert_eq!(
        read(store, |records| records.journal(&newest, &Page::first(1))),
        all[2..]
    );
}
