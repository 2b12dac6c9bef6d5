//! Names that only one thing may have.

use mintmark::domain::{Environment, KeyState, Mutation, Noun, Operator, Refusal};
use mintmark::store::{CommitError, JournalFilter, Page, Store};

use crate::store::samples::{acme, api, client, commit, key, operator, partner, read, revoked_token, secret};

/// What is there, and what then is refused, and why.
fn seconds(store: &dyn Store) -> Vec<(Mutation, Refusal)> {
    let taken = |noun, field| Refusal::Taken { noun, field };
    let (_, client_1, secret_1) = acme(store);
    let orders = api(Environment::Qa, "orders");
    let mut same_audience = api(Environment::Qa, "orders-too");
    same_audience.audience = orders.audience.clone();
    let stock = api(Environment::Qa, "stock");
    let mut moved = stock.clone();
    moved.audience = orders.audience.clone();
    let ada = operator("ada@example.com");
    let bob = operator("bob@example.com");
    let same_id = Operator {
        operator_id: ada.operator_id.clone(),
        ..operator("eve@example.com")
    };
    let same_token = Operator {
        token_digest: ada.token_digest,
        ..operator("eve@example.com")
    };
    let active = key(Environment::Qa, KeyState::Active);
    let token = revoked_token(&client_1, &secret_1);
    let before = [
        Mutation::ApiRegistered(orders.clone()),
        Mutation::ApiRegistered(stock),
        Mutation::OperatorCreated(ada.clone()),
        Mutation::OperatorCreated(bob),
        Mutation::KeyActivated(active),
        Mutation::TokenRevoked(token.clone()),
    ];
    for mutation in before {
        commit(store, mutation).unwrap();
    }
    let other_client = client("acme", "qa-acme-1111111111");
    let mut other_secret = secret_1.clone();
    other_secret.client_id = other_client.client_id.clone();
    let one_more_key = key(Environment::Qa, KeyState::Active);
    vec![
        (
            Mutation::PartnerRegistered(partner("acme")),
            taken(Noun::Partner, "partner_id"),
        ),
        (Mutation::ApiRegistered(orders), taken(Noun::Api, "api_id")),
        (Mutation::ApiRegistered(same_audience), taken(Noun::Api, "audience")),
        (Mutation::ApiChanged(moved), taken(Noun::Api, "audience")),
        (
            Mutation::ClientRegistered(client_1.clone(), secret(&client_1)),
            taken(Noun::Client, "client_id"),
        ),
        (
            Mutation::ClientRegistered(other_client, other_secret),
            taken(Noun::Secret, "secret_id"),
        ),
        (
            Mutation::SecretAdded {
                secret: secret_1,
                retiring: Vec::new(),
                partner_id: client_1.partner_id().cloned(),
                environment: client_1.environment,
            },
            taken(Noun::Secret, "secret_id"),
        ),
        (
            Mutation::OperatorCreated(operator("ada@example.com")),
            taken(Noun::Operator, "email"),
        ),
        (Mutation::OperatorCreated(same_id), taken(Noun::Operator, "operator_id")),
        (Mutation::OperatorCreated(same_token), taken(Noun::Operator, "token")),
        (
            Mutation::KeyActivated(one_more_key),
            Refusal::State("another key signs for this environment already"),
        ),
        (Mutation::TokenRevoked(token), taken(Noun::Token, "jti")),
    ]
}

pub fn a_second_of_one_name_is_refused_and_nothing_changes(store: &dyn Store) {
    let seconds = seconds(store);
    let everything = |store: &dyn Store| {
        let journal = read(store, |records| {
            records.journal(&JournalFilter::default(), &Page::first(100))
        });
        let operators = format!("{:?}", read(store, |records| records.operators()));
        let clients = read(store, |records| records.clients(&Default::default(), &Page::first(100)));
        (journal, operators, clients, read(store, |records| records.epoch()))
    };
    let before = everything(store);
    for (second, expected) in seconds {
        let action = format!("{second:?}");
        match commit(store, second) {
            Err(CommitError::Refused(refusal)) => assert_eq!(refusal, expected, "{action}"),
            other => panic!("{action} was not refused: {other:?}"),
        }
        assert_eq!(everything(store), before, "{action}");
    }
}

pub fn what_may_be_alike_is_accepted(store: &dyn Store) {
    let ada = operator("ada@example.com");
    let alike = [
        // The same API in the other environment, with the same audience.
        Mutation::ApiRegistered(api(Environment::Qa, "orders")),
        Mutation::ApiRegistered(api(Environment::Production, "orders")),
        // One key signs for each environment; others wait beside it.
        Mutation::KeyActivated(key(Environment::Qa, KeyState::Active)),
        Mutation::KeyActivated(key(Environment::Production, KeyState::Active)),
        Mutation::KeyAnnounced(key(Environment::Qa, KeyState::Announced)),
        Mutation::KeyAnnounced(key(Environment::Qa, KeyState::Announced)),
        // An address is free again once its operator is revoked.
        Mutation::OperatorCreated(ada.clone()),
        Mutation::OperatorRevoked(ada.revoked().unwrap()),
        Mutation::OperatorCreated(operator("ada@example.com")),
    ];
    for mutation in alike {
        commit(store, mutation).unwrap();
    }
}
