//! What is written is read back, every column of it.

use std::collections::BTreeSet;

use mintmark::domain::{
    AccessLevel, Action, AllowedApis, AllowedSources, AuthMethod, Client, ClientRole, ClientSecret, ClientStatus,
    Environment, Epoch, KeyState, Mutation, Operator, Partner, Pepper, QuotaMode, Role, Seconds, SigningKeyRecord,
    Timestamp,
};
use mintmark::store::{JournalFilter, Page, Store};

use crate::store::samples::{
    NOW, acme, allowance, api, attribution, client, commit, key, operator, operator_in_full, partner, plan, read,
    resource_server, revoked_token, scope, secret, secret_in_full,
};

/// A life with every mutation in it, in an order that can happen.
fn life() -> Vec<Mutation> {
    let mut mutations = partners_and_apis();
    mutations.extend(clients_and_secrets());
    mutations.extend(operators());
    mutations.extend(keys());
    mutations
}

fn partners_and_apis() -> Vec<Mutation> {
    let acme = partner("acme");
    let mut branch = partner("acme-branch");
    branch.parent = Some(acme.partner_id.clone());
    branch.scope_ceiling = scope("");
    let orders = api(Environment::Qa, "orders");
    let mut moved = orders.clone();
    moved.audience = "urn:example:orders".parse().unwrap();
    moved.scopes = scope("orders:read");
    let mut renamed = acme.clone();
    renamed.name = "Ácmé 株式会社".parse().unwrap();
    renamed.scope_ceiling = scope("a b c!$%&/()=");
    let planned = QuotaMode::ALL.map(|mode| Partner {
        plan: Some(plan(mode)),
        ..renamed.clone()
    });
    let mut mutations = vec![
        Mutation::PartnerRegistered(acme.clone()),
        Mutation::PartnerRegistered(branch),
        Mutation::PartnerChanged(renamed),
        Mutation::PartnerSuspended(acme.clone().suspended().unwrap()),
        Mutation::PartnerReinstated(acme),
        Mutation::ApiRegistered(orders),
        Mutation::ApiChanged(moved),
    ];
    // The plan comes, changes, and goes again.
    mutations.splice(3..3, planned.map(Mutation::PartnerChanged));
    mutations
}

fn clients_and_secrets() -> Vec<Mutation> {
    let first = client("acme", "qa-acme-0000000000");
    let secret_1 = secret(&first);
    let mut changed = first.clone();
    changed.expires_at = Some(NOW + Seconds(1));
    changed.token_lifetime = Some(3600.try_into().unwrap());
    changed.token_endpoint_auth_method = AuthMethod::Any;
    changed.limits = Some(allowance(1).into());
    changed.allowed_sources = AllowedSources::Only(
        ["192.0.2.0/24", "2001:db8::/32", "203.0.113.7"]
            .map(|network| network.parse().unwrap())
            .into(),
    );
    let mut secret_2 = secret(&first);
    secret_2.note = Some("for the new data centre".parse().unwrap());
    secret_2.not_before = NOW + Seconds(5);
    secret_2.expires_at = Some(Timestamp::from_seconds(i64::MAX));
    let retiring = secret_1.clone().ending(NOW + Seconds(60), NOW).unwrap();
    let partner_id = first.partner_id().cloned();
    let token = revoked_token(&first, &secret_1);
    vec![
        Mutation::ClientRegistered(first.clone(), secret_1),
        Mutation::ClientChanged(changed),
        Mutation::ClientSuspended(first.clone().suspended().unwrap()),
        Mutation::ClientReinstated(first.clone()),
        Mutation::SecretAdded {
            secret: secret_2,
            retiring: vec![retiring.clone()],
            partner_id: partner_id.clone(),
            environment: first.environment,
        },
        Mutation::SecretRetired {
            secret: retiring.ending(NOW + Seconds(1), NOW).unwrap(),
            partner_id,
            environment: first.environment,
        },
        Mutation::TokenRevoked(token),
        Mutation::ClientRevoked(first.revoked().unwrap()),
    ]
}

fn operators() -> Vec<Mutation> {
    let ada = operator("ada@example.com");
    let rotated = Operator {
        token_digest: Pepper::new(&[3; 32]).digest("another"),
        token_hint: "____".to_owned(),
        ..ada.clone()
    };
    let viewer = Operator {
        role: Role::Viewer,
        ..rotated.clone()
    };
    vec![
        Mutation::OperatorCreated(ada),
        Mutation::OperatorTokenRotated(rotated),
        Mutation::OperatorChanged(viewer.clone()),
        Mutation::OperatorRevoked(viewer.revoked().unwrap()),
    ]
}

fn keys() -> Vec<Mutation> {
    let first = key(Environment::Production, KeyState::Active);
    let second = key(Environment::Production, KeyState::Announced);
    let third = key(Environment::Production, KeyState::Announced);
    let withdrawn = key(Environment::Production, KeyState::Announced);
    let mut retiring = first.clone();
    retiring.state = KeyState::Retiring;
    retiring.retiring_since = Some(NOW);
    let mut retired = retiring.clone();
    retired.state = KeyState::Retired;
    retired.retired_at = Some(NOW);
    let mut active = second.clone();
    active.state = KeyState::Active;
    active.active_since = Some(NOW);
    let mut revoked = active.clone();
    revoked.state = KeyState::Revoked;
    let mut successor = third.clone();
    successor.state = KeyState::Active;
    vec![
        Mutation::KeyActivated(first),
        Mutation::KeyAnnounced(second),
        Mutation::KeyRotated { retiring, active },
        Mutation::KeyRetired(retired),
        Mutation::KeyAnnounced(withdrawn.clone()),
        Mutation::KeyImported {
            withdrawn: Some(withdrawn.retired(NOW)),
            announced: third,
        },
        Mutation::KeyRevoked {
            revoked,
            successor: Some(successor),
        },
    ]
}

pub fn every_mutation_is_read_back_as_written(store: &dyn Store) {
    let mut actions = BTreeSet::new();
    for (number, mut mutation) in (1..).zip(life()) {
        let entry = commit(store, mutation.clone()).unwrap();
        assert_eq!(entry.epoch, Epoch::new(number));
        mutation.stamp(entry.epoch);
        assert_is_kept(store, &mutation);
        actions.insert(entry.action.as_str());
    }
    let all: BTreeSet<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    assert_eq!(actions, all, "the life must have every mutation in it");
}

fn assert_is_kept(store: &dyn Store, mutation: &Mutation) {
    let kept_client = |client: &Client| read(store, |records| records.client(&client.client_id));
    let kept_operator =
        |operator: &Operator| read(store, |records| records.operator(&operator.operator_id)).expect("it is kept");
    match mutation {
        Mutation::PartnerRegistered(partner)
        | Mutation::PartnerChanged(partner)
        | Mutation::PartnerSuspended(partner)
        | Mutation::PartnerReinstated(partner) => {
            let kept = read(store, |records| records.partner(&partner.partner_id));
            assert_eq!(kept.as_ref(), Some(partner));
        }
        Mutation::ApiRegistered(api) | Mutation::ApiChanged(api) => {
            let kept = read(store, |records| records.api(api.environment, &api.api_id));
            assert_eq!(kept.as_ref(), Some(api));
            assert!(read(store, |records| records.apis(api.environment)).contains(api));
        }
        Mutation::ClientRegistered(client, secret) => {
            assert_eq!(kept_client(client).as_ref(), Some(client));
            assert_secrets_kept(store, &[secret]);
        }
        Mutation::ClientChanged(client)
        | Mutation::ClientSuspended(client)
        | Mutation::ClientReinstated(client)
        | Mutation::ClientRevoked(client) => assert_eq!(kept_client(client).as_ref(), Some(client)),
        Mutation::SecretAdded { secret, retiring, .. } => {
            assert_secrets_kept(store, &[secret]);
            assert_secrets_kept(store, &retiring.iter().collect::<Vec<_>>());
        }
        Mutation::SecretRetired { secret, .. } => assert_secrets_kept(store, &[secret]),
        Mutation::OperatorCreated(operator)
        | Mutation::OperatorChanged(operator)
        | Mutation::OperatorTokenRotated(operator)
        | Mutation::OperatorRevoked(operator) => {
            assert_eq!(operator_in_full(&kept_operator(operator)), operator_in_full(operator));
            let found = read(store, |records| records.operator_by_token(&operator.token_digest));
            assert_eq!(operator_in_full(&found.unwrap()), operator_in_full(operator));
        }
        Mutation::KeyAnnounced(key) | Mutation::KeyActivated(key) | Mutation::KeyRetired(key) => {
            assert_key_kept(store, key);
        }
        Mutation::KeyImported { withdrawn, announced } => {
            assert_key_kept(store, withdrawn.as_ref().unwrap());
            assert_key_kept(store, announced);
        }
        Mutation::KeyRotated { retiring, active } => {
            assert_key_kept(store, retiring);
            assert_key_kept(store, active);
        }
        Mutation::KeyRevoked { revoked, successor } => {
            assert_key_kept(store, revoked);
            assert_key_kept(store, successor.as_ref().unwrap());
        }
        Mutation::TokenRevoked(token) => {
            let kept = read(store, |records| records.revoked_token(&token.jti));
            assert_eq!(kept.as_ref(), Some(token));
        }
    }
}

fn assert_secrets_kept(store: &dyn Store, secrets: &[&ClientSecret]) {
    for secret in secrets {
        let kept = read(store, |records| records.secrets(&secret.client_id));
        let kept: Vec<String> = kept.iter().map(secret_in_full).collect();
        assert!(
            kept.contains(&secret_in_full(secret)),
            "{secret:?} is not among {kept:?}"
        );
    }
}

fn assert_key_kept(store: &dyn Store, key: &SigningKeyRecord) {
    let in_full = |key: &SigningKeyRecord| format!("{key:?}");
    let kept = read(store, |records| records.signing_key(&key.kid)).expect("it is kept");
    assert_eq!(in_full(&kept), in_full(key));
    let all = read(store, |records| records.signing_keys(key.environment));
    assert!(all.iter().map(in_full).any(|other| other == in_full(key)));
}

pub fn a_journal_row_stands_for_every_mutation(store: &dyn Store) {
    let written: Vec<_> = life()
        .into_iter()
        .map(|mutation| commit(store, mutation).unwrap())
        .collect();
    let kept = read(store, |records| {
        records.journal(&JournalFilter::default(), &Page::first(1000))
    });
    assert_eq!(kept, written);
    let mut before = None;
    for entry in &kept {
        assert_eq!(entry.follows(before), Ok(()));
        assert_eq!(entry.request_id, attribution().request_id);
        before = Some(entry);
    }
    let head = read(store, |records| records.epoch());
    assert_eq!(head, Epoch::new(i64::try_from(written.len()).unwrap()));
}

pub fn every_shape_of_a_client_is_read_back(store: &dyn Store) {
    let (acme, first, _) = acme(store);
    let orders = api(Environment::Qa, "orders");
    commit(store, Mutation::ApiRegistered(orders.clone())).unwrap();
    let shapes = [
        (AccessLevel::Full, AllowedApis::Only([orders.api_id.clone()].into())),
        (AccessLevel::FineGrained(scope("")), AllowedApis::Only([].into())),
        (AccessLevel::FineGrained(scope("orders:read x")), AllowedApis::Every),
    ];
    for (access, allowed_apis) in shapes {
        let mut client = first.clone();
        client.role = ClientRole::Partner {
            partner_id: acme.partner_id.clone(),
            access,
            allowed_apis,
        };
        let mut mutation = Mutation::ClientChanged(client);
        mutation.stamp(commit(store, mutation.clone()).unwrap().epoch);
        assert_is_kept(store, &mutation);
    }
    let mut server = resource_server(&orders, "qa-orders-0000000000");
    server.status = ClientStatus::Suspended;
    let mut mutation = Mutation::ClientRegistered(server.clone(), secret(&server));
    mutation.stamp(commit(store, mutation.clone()).unwrap().epoch);
    assert_is_kept(store, &mutation);
}

pub fn what_is_not_there_is_none(store: &dyn Store) {
    let (_, client, secret) = acme(store);
    let nobody = operator("nobody@example.com");
    assert_eq!(read(store, |records| records.partner(&"acne".parse().unwrap())), None);
    assert_eq!(
        read(store, |records| records.api(Environment::Qa, &"acme".parse().unwrap())),
        None
    );
    assert_eq!(read(store, |records| records.client(&"acme".parse().unwrap())), None);
    assert!(read(store, |records| records.secrets(&"acme".parse().unwrap())).is_empty());
    assert!(read(store, |records| records.operator(&nobody.operator_id)).is_none());
    assert!(read(store, |records| records.operator_by_token(&nobody.token_digest)).is_none());
    assert!(
        read(store, |records| records
            .signing_key(&key(Environment::Qa, KeyState::Active).kid))
        .is_none()
    );
    let jti = revoked_token(&client, &secret).jti;
    assert_eq!(read(store, |records| records.revoked_token(&jti)), None);
    let asked = "a-key-never-used".parse().unwrap();
    assert_eq!(
        read(store, |records| records.idempotency(&nobody.operator_id, &asked)),
        None
    );
    assert_eq!(read(store, |records| records.master_key_check()), None);
}
