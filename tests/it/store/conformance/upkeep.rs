//! What is written beside the journal.

use std::net::IpAddr;

use mintmark::domain::{
    CLOCK_SKEW, Change, ClientId, IdempotencyRecord, Mutation, Refusal, Seconds, SecretId, SecretUse, Timestamp,
};
use mintmark::store::{CommitError, Store};

use super::usage::batch;
use crate::store::samples::{NOW, acme, commit, operator, partner, read, revoked_token, secret};

/// When the secret was last used, and from where.
fn last_use(store: &dyn Store, (client_id, secret_id): (&ClientId, &SecretId)) -> Option<(Timestamp, IpAddr)> {
    let secrets = read(store, |records| records.secrets(client_id));
    let found = secrets.into_iter().find(|secret| secret.secret_id == *secret_id);
    let found = found.expect("the secret is kept");
    found.last_used_at.zip(found.last_used_source)
}

fn used(secret_id: &SecretId, at: Timestamp, source: &str) -> SecretUse {
    SecretUse {
        secret_id: secret_id.clone(),
        at,
        source: address(source),
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn a_use_is_never_moved_back(store: &dyn Store) {
    let (_, client, first) = acme(store);
    let of = (&client.client_id, &first.secret_id);
    assert_eq!(last_use(store, of), None);
    let unknown = secret(&client).secret_id;
    let (early, late) = (NOW, NOW + Seconds(7));
    let (four, six) = ("192.0.2.1", "2001:db8::7");
    for (uses, expected) in [
        (vec![], None),
        (
            vec![
                used(&first.secret_id, early, "::ffff:192.0.2.1"),
                used(&unknown, late, six),
            ],
            Some((early, address(four))),
        ),
        (
            vec![used(&first.secret_id, late, six), used(&first.secret_id, early, four)],
            Some((late, address(six))),
        ),
        (vec![used(&first.secret_id, early, four)], Some((late, address(six)))),
    ] {
        store.record_usage(&batch(Vec::new(), uses)).unwrap();
        assert_eq!(last_use(store, of), expected);
    }
    assert_eq!(
        read(store, |records| records.epoch()).get(),
        2,
        "a use is not a mutation"
    );
}

pub fn a_change_of_a_secret_keeps_its_last_use(store: &dyn Store) {
    let (_, client, first) = acme(store);
    let uses = vec![used(&first.secret_id, NOW, "192.0.2.1")];
    store.record_usage(&batch(Vec::new(), uses)).unwrap();
    // Decided on what was read before the use was written down.
    let retired = first.ending(NOW + Seconds(1), NOW).unwrap();
    let id = retired.secret_id.clone();
    let mutation = Mutation::SecretRetired {
        secret: retired,
        partner_id: client.partner_id().cloned(),
        environment: client.environment,
    };
    commit(store, mutation).unwrap();
    assert_eq!(
        last_use(store, (&client.client_id, &id)),
        Some((NOW, address("192.0.2.1")))
    );
}

pub fn what_is_past_is_forgotten(store: &dyn Store) {
    let (_, client, first) = acme(store);
    let ada = operator("ada@example.com");
    commit(store, Mutation::OperatorCreated(ada.clone())).unwrap();
    let mut tokens = Vec::new();
    // The clock of whoever sweeps may be ahead of the clock of whoever is asked about the token.
    for end in [NOW - CLOCK_SKEW, NOW - CLOCK_SKEW + Seconds(1), NOW, NOW + Seconds(1)] {
        let mut token = revoked_token(&client, &first);
        token.expires_at = end;
        commit(store, Mutation::TokenRevoked(token.clone())).unwrap();
        tokens.push(token.jti);
    }
    let day = IdempotencyRecord::REMEMBERED_FOR;
    let mut records = Vec::new();
    for (number, created_at) in [NOW - day, NOW - day + Seconds(1)].into_iter().enumerate() {
        let record = IdempotencyRecord {
            operator_id: ada.operator_id.clone(),
            key: format!("key-number-{number}").parse().unwrap(),
            fingerprint: [7; 32],
            subject: "acme".to_owned(),
            created_at,
        };
        let change = Change {
            mutation: Mutation::PartnerRegistered(partner(&format!("p-{number}"))),
            idempotency: Some(record.clone()),
        };
        commit(store, change).unwrap();
        records.push(record);
    }
    assert_eq!(store.forget(NOW).unwrap(), 2);
    assert_eq!(store.forget(NOW).unwrap(), 0);
    let token_kept = |jti| read(store, |records| records.revoked_token(jti)).is_some();
    assert_eq!(
        tokens.iter().map(token_kept).collect::<Vec<_>>(),
        [false, true, true, true]
    );
    let key_kept = |record: &IdempotencyRecord| {
        read(store, |records| records.idempotency(&record.operator_id, &record.key)).is_some()
    };
    assert_eq!(records.iter().map(key_kept).collect::<Vec<_>>(), [false, true]);
}

pub fn an_idempotency_key_is_kept_with_its_change(store: &dyn Store) {
    let ada = operator("ada@example.com");
    commit(store, Mutation::OperatorCreated(ada.clone())).unwrap();
    let record = IdempotencyRecord {
        operator_id: ada.operator_id,
        key: "the-same-key".parse().unwrap(),
        fingerprint: [255; 32],
        subject: "acme".to_owned(),
        created_at: NOW,
    };
    let kept = || read(store, |records| records.idempotency(&record.operator_id, &record.key));
    let change = |partner_id: &str, record: &IdempotencyRecord| Change {
        mutation: Mutation::PartnerRegistered(partner(partner_id)),
        idempotency: Some(record.clone()),
    };
    commit(store, change("acme", &record)).unwrap();
    assert_eq!(kept().as_ref(), Some(&record));
    // With a refused change the key is not kept.
    let mut other = record.clone();
    other.subject = "other".to_owned();
    let refused = commit(store, change("acme", &other));
    assert!(matches!(refused, Err(CommitError::Refused(Refusal::Taken { .. }))));
    assert_eq!(kept().as_ref(), Some(&record));
    // Past its time, though not yet swept away, it may be used again.
    commit(store, change("other", &other)).unwrap();
    assert_eq!(kept().as_ref(), Some(&other));
}

pub fn the_first_master_key_check_stays(store: &dyn Store) {
    assert_eq!(read(store, |records| records.master_key_check()), None);
    store.keep_master_key_check(&[0, 1, 255]).unwrap();
    store.keep_master_key_check(b"later").unwrap();
    assert_eq!(read(store, |records| records.master_key_check()), Some(vec![0, 1, 255]));
}
