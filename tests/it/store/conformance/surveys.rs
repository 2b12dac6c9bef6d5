//! What is counted and looked for over all clients.

use mintmark::domain::{
    Client, ClientId, ClientSecret, ClientStatus, Ending, Environment, Mutation, NoticeKind, Seconds, SecretStatus,
    Span, Timestamp,
};
use mintmark::store::{ClientCount, Page, Store};

use crate::store::samples::{NOW, acme, api, client, commit, read, resource_server, secret};

fn register(store: &dyn Store, client: &Client, secrets: &[ClientSecret]) {
    let first = secrets[0].clone();
    commit(store, Mutation::ClientRegistered(client.clone(), first)).unwrap();
    for secret in &secrets[1..] {
        let added = Mutation::SecretAdded {
            secret: secret.clone(),
            retiring: Vec::new(),
            partner_id: client.partner_id().cloned(),
            environment: client.environment,
        };
        commit(store, added).unwrap();
    }
}

fn one(store: &dyn Store, client: &Client) {
    register(store, client, &[secret(client)]);
}

pub fn clients_are_counted_by_environment_and_status(store: &dyn Store) {
    let counts = || read(store, |records| records.client_counts());
    assert_eq!(counts(), []);
    acme(store);
    let orders = api(Environment::Production, "orders");
    commit(store, Mutation::ApiRegistered(orders.clone())).unwrap();
    one(store, &client("acme", "qa-b"));
    let suspended = client("acme", "qa-c");
    one(store, &suspended);
    commit(store, Mutation::ClientSuspended(suspended.suspended().unwrap())).unwrap();
    one(store, &resource_server(&orders, "live-d"));
    let revoked = resource_server(&orders, "live-e");
    one(store, &revoked);
    commit(store, Mutation::ClientRevoked(revoked.revoked().unwrap())).unwrap();
    let count = |environment, status, clients| ClientCount {
        environment,
        status,
        clients,
    };
    assert_eq!(
        counts(),
        [
            count(Environment::Production, ClientStatus::Active, 1),
            count(Environment::Production, ClientStatus::Revoked, 1),
            count(Environment::Qa, ClientStatus::Active, 2),
            count(Environment::Qa, ClientStatus::Suspended, 1),
        ]
    );
}

pub fn clients_with_more_than_one_secret_that_lasts_are_found(store: &dyn Store) {
    acme(store);
    let with = |id: &str, ends: &[(SecretStatus, Option<Timestamp>)]| {
        let client = client("acme", id);
        let secrets = ends.iter().map(|(status, expires_at)| ClientSecret {
            status: *status,
            expires_at: *expires_at,
            ..secret(&client)
        });
        register(store, &client, &secrets.collect::<Vec<_>>());
    };
    let (active, later) = (SecretStatus::Active, Some(NOW + Seconds(1)));
    with("qa-b", &[(active, None), (active, later)]);
    with("qa-c", &[(active, None), (active, Some(NOW))]);
    with("qa-d", &[(active, None), (SecretStatus::Retired, None)]);
    with("qa-e", &[(active, later), (active, later), (active, None)]);
    with("qa-f", &[(active, None)]);
    with("qa-g", &[(active, None), (active, None), (active, Some(NOW))]);
    let found = |after: Option<&str>, limit| -> Vec<String> {
        let page = Page {
            after: after.map(|id| id.parse::<ClientId>().unwrap()),
            limit,
        };
        let found = read(store, |records| records.clients_with_spare_secrets(NOW, &page));
        found.iter().map(ToString::to_string).collect()
    };
    assert_eq!(found(None, 9), ["qa-b", "qa-e", "qa-g"]);
    assert_eq!(found(None, 2), ["qa-b", "qa-e"]);
    assert_eq!(found(Some("qa-b"), 1), ["qa-e"]);
    assert_eq!(found(Some("qa-g"), 9), [""; 0]);
}

pub fn what_ends_soonest_is_found_noticed_or_not(store: &dyn Store) {
    acme(store);
    let ending = |id: &str, own: Option<u32>, of_secret: Option<u32>| {
        let at = |seconds: Option<u32>| seconds.map(|seconds| NOW + Seconds(seconds));
        let client = Client {
            expires_at: at(own),
            ..client("acme", id)
        };
        let secret = ClientSecret {
            expires_at: at(of_secret),
            ..secret(&client)
        };
        register(store, &client, &[secret]);
        client
    };
    ending("qa-b", None, Some(30));
    ending("qa-c", Some(100), Some(20));
    ending("qa-d", Some(0), Some(20));
    ending("qa-e", Some(50), None);
    let suspended = ending("qa-f", Some(50), Some(10));
    commit(store, Mutation::ClientSuspended(suspended.suspended().unwrap())).unwrap();
    let span = Span {
        after: NOW,
        until: NOW + Seconds(100),
    };
    let soonest = |kind, limit| -> Vec<(String, i64)> {
        let found: Vec<Ending> = read(store, |records| records.soonest_endings(kind, (NOW, span, limit)));
        let line = |ending: &Ending| {
            assert_eq!(ending.subject.kind(), kind);
            assert_eq!(ending.partner_id, Some("acme".parse().unwrap()));
            (
                ending.client_id.to_string(),
                ending.expires_at.seconds() - NOW.seconds(),
            )
        };
        found.iter().map(line).collect()
    };
    let line = |id: &str, left| (id.to_owned(), left);
    assert_eq!(
        soonest(NoticeKind::SecretExpiring, 9),
        [line("qa-c", 20), line("qa-b", 30)]
    );
    assert_eq!(soonest(NoticeKind::SecretExpiring, 1), [line("qa-c", 20)]);
    assert_eq!(
        soonest(NoticeKind::ClientExpiring, 9),
        [line("qa-e", 50), line("qa-c", 100)]
    );
}
