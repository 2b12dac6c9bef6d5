//! Rows that somebody wrote to past the server are found and named, and what they hold is not repeated.

use std::time::Instant;

use mintmark::domain::{BrokenChain, Environment, Epoch, JournalEntry, KeyState, Mutation};
use mintmark::domain::{Change, IdempotencyRecord};
use mintmark::store::{
    self, ClientFilter, CommitError, JournalFilter, Known, Page, PartnerFilter, Records, Store, StoreError,
};

use super::Aside;
use crate::store::places::{Ground, TIMEOUT, postgresql_ground, sqlite_ground};
use crate::store::samples::{NOW, acme, api, commit, key, operator, partner, read, revoked_token, try_read};

fn grounds() -> [Ground; 2] {
    [sqlite_ground(), postgresql_ground()]
}

/// Where the chain breaks, read in order.
fn break_of(store: &dyn Store) -> Option<BrokenChain> {
    let journal = read(store, |records| {
        records.journal(&JournalFilter::default(), &Page::first(1000))
    });
    let mut before: Option<&JournalEntry> = None;
    for entry in &journal {
        if let Err(broken) = entry.follows(before) {
            return Some(broken);
        }
        before = Some(entry);
    }
    None
}

#[test]
fn a_journal_row_altered_or_removed_is_named() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        for number in 0..4 {
            commit(&*store, Mutation::PartnerRegistered(partner(&format!("p-{number}")))).unwrap();
        }
        assert_eq!(break_of(&*store), None);
        let mut aside = Aside::open(&ground.url);
        let columns = ["actor", "subject", "detail", "request_id", "partner_id"];
        for column in columns {
            aside.execute(&format!(
                "CREATE TEMPORARY TABLE kept AS SELECT {column} AS it FROM journal WHERE epoch = 3;
                 UPDATE journal SET {column} = 'somebody-else' WHERE epoch = 3;"
            ));
            assert_eq!(break_of(&*store), Some(BrokenChain::Altered(Epoch::new(3))), "{column}");
            aside.execute(&format!(
                "UPDATE journal SET {column} = (SELECT it FROM kept) WHERE epoch = 3; DROP TABLE kept;"
            ));
            assert_eq!(break_of(&*store), None);
        }
        aside.execute("DELETE FROM journal WHERE epoch = 4");
        let gone = BrokenChain::Missing {
            expected: Epoch::new(4),
            found: Epoch::new(5),
        };
        assert_eq!(break_of(&*store), Some(gone));
        aside.execute("UPDATE journal SET action = 'hunter2' WHERE epoch = 5");
        let error = try_read(&*store, |records| {
            records.journal(&JournalFilter::default(), &Page::first(9))
        });
        assert_corrupt(error, "a row of journal has an unreadable action, at epoch 5");
    }
}

#[test]
fn a_journal_cut_short_is_not_written_on() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        Aside::open(&ground.url).execute("DELETE FROM journal WHERE epoch = 2");
        let next = commit(&*store, Mutation::PartnerRegistered(partner("next")));
        assert!(matches!(next, Err(CommitError::Store(StoreError::Corrupt(reason))) if reason.contains("epoch 2")));
        assert_eq!(read(&*store, |records| records.epoch()), Epoch::new(2));
    }
}

#[test]
fn a_journal_that_went_back_stops_the_follower() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        let known = read(&*store, |records| Known::head(records));
        let mut follower = store.follower().unwrap();
        Aside::open(&ground.url).execute("UPDATE epoch SET number = 1");
        assert_corrupt(follower.after(known, 9), "the journal went back from epoch 2 to 1");
    }
}

/// Two histories that begin alike and part: what was restored to an older copy and then written to.
#[test]
fn a_journal_that_parted_from_the_one_known_is_not_followed_however_long_it_is() {
    for (here, there) in grounds().into_iter().zip(grounds()) {
        let [here, there] = [here, there].map(|ground| {
            let store = store::open(&ground.settings()).unwrap();
            acme(&*store);
            (store, ground)
        });
        commit(&*here.0, Mutation::PartnerRegistered(partner("here"))).unwrap();
        let known = read(&*here.0, |records| Known::head(records));
        let mut follower = there.0.follower().unwrap();
        let another = "the journal is another one: it does not go on from epoch 3";
        assert_corrupt(follower.after(known, 9), "the journal went back from epoch 3 to 2");
        let third = commit(&*there.0, Mutation::PartnerRegistered(partner("there"))).unwrap();
        assert_corrupt(follower.after(known, 9), another);
        let fourth = commit(&*there.0, Mutation::PartnerRegistered(partner("fourth"))).unwrap();
        assert_corrupt(follower.after(known, 9), another);
        assert_eq!(follower.after(Known::from(&third), 9).unwrap(), [fourth]);
    }
}

/// As a restore in place does, which leaves connections open and may end at the same number.
#[test]
fn a_journal_exchanged_behind_an_open_connection_is_noticed_though_its_head_is_the_same() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        let known = read(&*store, |records| Known::head(records));
        let mut follower = store.follower().unwrap();
        assert_eq!(follower.after(known, 9).unwrap(), []);
        Aside::open(&ground.url).execute("UPDATE journal SET hash = previous_hash WHERE epoch = 2");
        let since = Instant::now();
        let noticed = loop {
            match follower.after(known, 9) {
                Ok(entries) => assert_eq!(entries, []),
                Err(error) => break error,
            }
            assert!(since.elapsed() < TIMEOUT, "it is not noticed");
        };
        assert_corrupt(Err::<(), _>(noticed), "the journal is another one");
    }
}

fn assert_corrupt<T: std::fmt::Debug>(outcome: Result<T, StoreError>, expected: &str) {
    match outcome {
        Err(StoreError::Corrupt(reason)) => {
            assert!(reason.contains(expected), "{reason} does not say {expected}");
            assert!(!reason.contains("hunter2"), "{reason}");
        }
        other => panic!("{expected} was not noticed: {other:?}"),
    }
}

/// Reads every table whole.
fn everything(records: &mut dyn Records) -> Result<(), StoreError> {
    records.partners(&PartnerFilter::default(), &Page::first(100))?;
    for client in records.clients(&ClientFilter::default(), &Page::first(100))? {
        records.secrets(&client.client_id)?;
    }
    records.operators()?;
    for environment in Environment::ALL {
        records.apis(environment)?;
        records.signing_keys(environment)?;
    }
    Ok(())
}

#[test]
fn a_row_that_is_no_noun_names_its_table_and_column() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        commit(&*store, Mutation::ApiRegistered(api(Environment::Qa, "orders"))).unwrap();
        commit(&*store, Mutation::OperatorCreated(operator("ada@example.com"))).unwrap();
        commit(&*store, Mutation::KeyActivated(key(Environment::Qa, KeyState::Active))).unwrap();
        read(&*store, everything);
        let mut aside = Aside::open(&ground.url);
        // From the table read last to the one read first, so that each is met before those already broken.
        for (table, column, value) in [
            ("signing_keys", "jwks_max_age", "-1"),
            ("signing_keys", "announced_at", "-1"),
            ("signing_keys", "kid", "'hunter2'"),
            ("apis", "audience", "'hunter2'"),
            ("apis", "api_id", "'Hunter2'"),
            ("operators", "token_expires_at", "999999999999999"),
            ("operators", "email", "'hunter2'"),
            ("client_secrets", "not_before", "-1"),
            ("client_secrets", "note", "''"),
            ("clients", "created_at", "-1"),
            ("clients", "expires_at", "-1"),
            ("clients", "contact", "'hunter2'"),
            ("clients", "limits", "'{\"burst\":1}'"),
            ("clients", "allowed_sources", "'hunter2'"),
            ("clients", "token_lifetime", "59"),
            ("clients", "allowed_apis", "'hunter2  a'"),
            ("partners", "plan", "'{\"quota_mode\":\"hunter2\"}'"),
            ("partners", "scope_ceiling", "'hunter2 \"'"),
            ("partners", "name", "''"),
        ] {
            aside.execute(&format!("UPDATE {table} SET {column} = {value}"));
            let expected = format!("a row of {table} has an unreadable {column}");
            assert_corrupt(try_read(&*store, everything), &expected);
        }
    }
}

#[test]
fn unreadable_tokens_and_keys_of_creations_are_named_too() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        let (_, client, secret) = acme(&*store);
        let token = revoked_token(&client, &secret);
        commit(&*store, Mutation::TokenRevoked(token.clone())).unwrap();
        let ada = operator("ada@example.com");
        commit(&*store, Mutation::OperatorCreated(ada.clone())).unwrap();
        let record = IdempotencyRecord {
            operator_id: ada.operator_id,
            key: "a-key-of-ada".parse().unwrap(),
            fingerprint: [0; 32],
            subject: "next".to_owned(),
            created_at: NOW,
        };
        let change = Change {
            mutation: Mutation::PartnerRegistered(partner("next")),
            idempotency: Some(record.clone()),
        };
        commit(&*store, change).unwrap();
        let mut aside = Aside::open(&ground.url);
        aside.execute("UPDATE revoked_tokens SET expires_at = -1; UPDATE idempotency_keys SET created_at = -1;");
        assert_corrupt(
            try_read(&*store, |records| records.revoked_token(&token.jti)),
            "a row of revoked_tokens has an unreadable expires_at",
        );
        assert_corrupt(
            try_read(&*store, |records| records.idempotency(&record.operator_id, &record.key)),
            "a row of idempotency_keys has an unreadable created_at",
        );
    }
}

#[test]
fn the_tables_refuse_what_no_noun_can_be() {
    for ground in grounds() {
        let store = store::open(&ground.settings()).unwrap();
        acme(&*store);
        let orphan = crate::store::samples::client("nobody", "qa-orphan-0000000000");
        let secret = crate::store::samples::secret(&orphan);
        let refused = commit(&*store, Mutation::ClientRegistered(orphan, secret));
        assert!(
            matches!(refused, Err(CommitError::Store(StoreError::Corrupt(_)))),
            "{refused:?}"
        );
        assert_eq!(read(&*store, |records| records.epoch()), Epoch::new(2));
    }
}
