//! Many changes in one transaction leave what as many commits leave, or nothing.

use mintmark::domain::{Client, ClientStatus, Mutation, Noun, Refusal};
use mintmark::store::{
    self, BulkError, CommitError, JournalFilter, MemoryStore, OpenError, Page, Store, commit_in_bulk,
};

use crate::store::places::{postgresql_ground, sqlite_ground};
use crate::store::samples::{attribution, client, commit, partner, read, revoked_token, secret, secret_in_full};

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
fn changes_of_all_kinds_leave_what_single_commits_would_have_left() {
    let acme = client("acme", "qa-acme-1");
    let other = client("acme", "qa-acme-2");
    let revoked = Client {
        status: ClientStatus::Revoked,
        ..acme.clone()
    };
    let token = revoked_token(&acme, &secret(&acme));
    let mutations = [
        Mutation::PartnerRegistered(partner("acme")),
        Mutation::ClientRegistered(acme.clone(), secret(&acme)),
        Mutation::TokenRevoked(token.clone()),
        Mutation::ClientRevoked(revoked),
        Mutation::ClientRegistered(other.clone(), secret(&other)),
    ];
    let one_by_one = MemoryStore::default();
    for mutation in &mutations {
        commit(&one_by_one, mutation.clone()).unwrap();
    }
    for ground in [sqlite_ground(), postgresql_ground()] {
        let settings = ground.settings();
        drop(store::open(&settings).unwrap());
        commit_in_bulk(&settings.url, settings.timeout, &attribution(), mutations.clone()).unwrap();
        let opened = store::open(&settings).unwrap();
        let journal = |store: &dyn Store| {
            read(store, |records| {
                records.journal(&JournalFilter::default(), &Page::first(10))
            })
        };
        assert_eq!(journal(&*opened), journal(&one_by_one));
        for Client { client_id, .. } in [&acme, &other] {
            let client = |store: &dyn Store| read(store, |records| records.client(client_id));
            assert_eq!(client(&*opened), client(&one_by_one));
            let secrets = |store: &dyn Store| {
                let secrets = read(store, |records| records.secrets(client_id));
                secrets.iter().map(secret_in_full).collect::<Vec<_>>()
            };
            assert_eq!(secrets(&*opened).len(), 1);
            assert_eq!(secrets(&*opened), secrets(&one_by_one));
        }
        let kept = read(&*opened, |records| records.revoked_token(&token.jti));
        assert_eq!(kept, Some(token.clone()));
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
