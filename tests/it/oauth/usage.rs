//! What is counted of token requests, from the request to the store.

use std::sync::Arc;

use mintmark::domain::Environment::Qa;
use mintmark::domain::{Granularity, Timestamp, TokenRefusal};
use mintmark::store::{Page, Sharing, UsageFilter, UsageGroup, UsageRow};

use super::limits::only;
use crate::support::faulty::{Fault, FaultyStore};
use crate::support::installation::{Installation, Plan, also_on_sql, block_on};
use crate::support::registration::Credentials;

/// What is in the store, hour by hour and scope by scope.
fn kept(installation: &Installation) -> Vec<UsageRow> {
    let filter = UsageFilter {
        granularity: Granularity::Hour,
        group: UsageGroup::Scope,
        from: Timestamp::from_seconds(0),
        until: Timestamp::from_seconds(i64::MAX),
        environment: None,
        partner_id: None,
        client_id: None,
    };
    installation.read(move |records| records.usage(&filter, &Page::first(1000)))
}

/// A row in short: scope, issued, and the refusals that happened.
type Short = (String, u64, Vec<(&'static str, u64)>);

fn short(rows: &[UsageRow]) -> Vec<Short> {
    let refused = |row: &UsageRow| {
        let each = TokenRefusal::ALL.map(|refusal| (refusal.as_str(), row.refused[refusal as usize]));
        each.into_iter().filter(|(_, requests)| *requests > 0).collect()
    };
    let scope = |row: &UsageRow| {
        row.place
            .scope
            .as_ref()
            .map_or(String::new(), |scope| scope.as_str().to_owned())
    };
    rows.iter().map(|row| (scope(row), row.issued, refused(row))).collect()
}

fn flush(installation: &Installation) {
    block_on(installation.registry.flush()).unwrap();
}

fn wrong(client: &Credentials, other: &Credentials) -> Credentials {
    Credentials {
        secret: other.secret.clone(),
        ..client.clone()
    }
}

fn every_request_of_a_client_is_counted_under_what_became_of_it() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let other = installation.client("globex").register();
    for _ in 0..3 {
        installation.issue(&client);
    }
    let ask = || installation.token(&client);
    ask().param("scope", "orders:read").send().issued();
    ask().param("scope", "orders:read").send().issued();
    ask()
        .param("scope", "billing:read")
        .send()
        .refused(400, "invalid_scope");
    ask()
        .param("resource", "https://nowhere.example.com")
        .send()
        .refused(400, "invalid_target");
    installation
        .form(Qa, "token")
        .basic(&client)
        .send()
        .refused(400, "invalid_request");
    installation
        .token(&wrong(&client, &other))
        .send()
        .refused(401, "invalid_client");
    // Nobody's: it is not counted under anybody.
    let nobody = Credentials {
        client_id: "qa-nobody-0000000000".to_owned(),
        ..client.clone()
    };
    installation.token(&nobody).send().refused(401, "invalid_client");
    installation.suspend_partner("acme");
    ask().send().refused(401, "invalid_client");
    assert!(kept(&installation).is_empty(), "nothing is written at the request");
    flush(&installation);
    flush(&installation);
    let rows = kept(&installation);
    let refused = vec![
        ("wrong_secret", 1),
        ("inactive", 1),
        ("invalid_request", 1),
        ("invalid_scope", 1),
        ("invalid_target", 1),
    ];
    let expected = [
        (String::new(), 0, refused),
        ("orders:read".to_owned(), 2, Vec::new()),
        ("orders:read orders:write stock:read".to_owned(), 3, Vec::new()),
    ];
    assert_eq!(short(&rows), expected);
    let named = |row: &UsageRow| row.place.client_id.as_ref().unwrap().as_str() == client.client_id;
    assert!(rows.iter().all(named), "{rows:?}");
}

#[test]
fn counted() {
    every_request_of_a_client_is_counted_under_what_became_of_it();
}

also_on_sql!(every_request_of_a_client_is_counted_under_what_became_of_it);

#[test]
fn an_hour_ends_where_the_clock_says() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let begins = Granularity::Hour.begin(installation.now());
    let left = 3600 - u32::try_from(installation.now().seconds() - begins.seconds()).unwrap();
    installation.clock.advance(left - 1);
    installation.issue(&client);
    installation.clock.advance(1);
    installation.issue(&client);
    installation.issue(&client);
    flush(&installation);
    let hours: Vec<_> = kept(&installation)
        .iter()
        .map(|row| (row.place.begins.seconds() - begins.seconds(), row.issued))
        .collect();
    assert_eq!(hours, [(0, 1), (3600, 2)]);
}

#[test]
fn a_right_secret_from_a_wrong_source_has_a_count_of_its_own() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    only(&installation, &client, &["198.51.100.0/24"]);
    installation.token(&client).send().refused(401, "invalid_client");
    flush(&installation);
    let refused = vec![("wrong_source", 1)];
    assert_eq!(short(&kept(&installation)), [(String::new(), 0, refused)]);
}

#[test]
fn a_guesser_who_is_shut_out_is_counted_as_limited() {
    let installation = Plan {
        failures_per_minute: 1,
        ..Plan::default()
    }
    .start();
    let client = installation.client("acme").register();
    let other = installation.client("globex").register();
    let guess = || installation.token(&wrong(&client, &other)).send().status;
    assert_eq!([guess(), guess(), guess(), guess()], [401, 429, 429, 429]);
    flush(&installation);
    let refused = vec![("wrong_secret", 1), ("limited", 3)];
    assert_eq!(short(&kept(&installation)), [(String::new(), 0, refused)]);
}

#[test]
fn a_flush_that_fails_loses_nothing_and_one_that_only_seems_to_fail_doubles_nothing() {
    for sharing in [Sharing::Sole, Sharing::Shared] {
        let store = FaultyStore::new(sharing);
        let installation = Plan {
            store: Arc::new(store.clone()),
            ..Plan::default()
        }
        .start();
        let client = installation.client("acme").register();
        let fails = |fault| {
            store.set(fault);
            assert!(block_on(installation.registry.flush()).is_err());
            store.set(Fault::Nothing);
        };
        installation.issue(&client);
        fails(Fault::BeforeWriting);
        installation.issue(&client);
        fails(Fault::AfterWriting);
        installation.issue(&client);
        fails(Fault::AfterWriting);
        flush(&installation);
        assert_eq!(kept(&installation).iter().map(|row| row.issued).sum::<u64>(), 3);
        flush(&installation);
        assert_eq!(kept(&installation).iter().map(|row| row.issued).sum::<u64>(), 3);
    }
}

#[test]
fn a_secret_says_when_and_from_where_it_was_used_last() {
    let installation = Installation::start();
    let client = installation.client("acme").register();
    let from = |address: &str| {
        let request = installation.token(&client).header("X-Forwarded-For", address);
        request.send().issued();
    };
    from("192.0.2.1");
    installation.clock.advance(5);
    from("2001:db8::7");
    flush(&installation);
    let client_id = client.client_id.parse().unwrap();
    let secrets = installation.read(move |records| records.secrets(&client_id));
    assert_eq!(secrets[0].last_used_at, Some(installation.now()));
    assert_eq!(secrets[0].last_used_source, "2001:db8::7".parse().ok());
}
