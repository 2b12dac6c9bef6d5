//! Many changes in one transaction leave what as many commits leave, or nothing.

use mintmark::domain::{Mutation, Noun, Refusal};
use mintmark::store::{self, BulkError, CommitError, JournalFilter, OpenError, Page, commit_in_bulk};

use crate::store::places::{postgresql_ground, sqlite_ground};
use crate::store::samples::{attribution, partner, read};

fn partners(names: &[&str]) -> Vec<Mutation> {
    names
        .iter()
        .map(|name| Mutation::PartnerRegistered(partner(name)))
        .collect()
}

#[test]
fn each_change_has_an_epoch_and_a_row_in_one_chain_and_one_that_does_not_fit_leaves_none() {
    for ground in [sqlite_ground(), postgresql_ground()] {
        let settings = ground.settings();
        drop(store::open(&settings).unwrap());
        let bulk = |names: &[&str]| commit_in_bulk(&settings.url, settings.timeout, &attribution(), partners(names));
        bulk(&["p-1", "p-2"]).unwrap();
        bulk(&["p-3"]).unwrap();
        let refused = bulk(&["p-4", "p-1"]);
        let taken = Refusal::Taken {
            noun: Noun::Partner,
            field: "partner_id",
        };
        assert!(
            matches!(&refused, Err(BulkError::Commit(CommitError::Refused(refusal))) if *refusal == taken),
            "{refused:?}"
        );
        let opened = store::open(&settings).unwrap();
        let journal = read(&*opened, |records| {
            records.journal(&JournalFilter::default(), &Page::first(10))
        });
        let subjects: Vec<_> = journal.iter().map(|entry| entry.subject.as_str()).collect();
        assert_eq!(subjects, ["p-1", "p-2", "p-3"]);
        let mut before = None;
        for entry in &journal {
            assert_eq!(entry.follows(before), Ok(()));
            before = Some(entry);
        }
        assert_eq!(read(&*opened, |records| records.epoch()).get(), 3);
        assert!(read(&*opened, |records| records.partner(&"p-4".parse().unwrap())).is_none());
    }
}

#[test]
fn a_file_that_a_server_owns_is_left_alone() {
    let ground = sqlite_ground();
    let settings = ground.settings();
    let owner = store::open(&settings).unwrap();
    let refused = commit_in_bulk(&settings.url, settings.timeout, &attribution(), partners(&["p-1"]));
    assert!(
        matches!(refused, Err(BulkError::Open(OpenError::InUse(_)))),
        "{refused:?}"
    );
    assert_eq!(read(&*owner, |records| records.epoch()).get(), 0);
}
