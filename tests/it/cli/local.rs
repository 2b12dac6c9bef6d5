//! What works on the machine itself: migrations, the first operator, health, the journal read from the store.

use std::fs;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

use super::Installation;
use crate::support::postgresql;

const FIRST: [&str; 6] = ["operator", "create", "--email", "ada@example.com", "--role", "owner"];

#[test]
fn migrate_says_what_is_to_be_done_and_does_it_once() {
    let installation = Installation::new();
    let pending = installation.run(&["migrate", "--check"]).exits(1);
    let stamps: Vec<_> = pending.out.lines().collect();
    assert!(
        !stamps.is_empty() && stamps.iter().all(|stamp| stamp.len() >= 14),
        "{pending:?}"
    );
    let ran = installation.run(&["migrate"]).exits(0);
    assert_eq!(ran.out.lines().collect::<Vec<_>>(), stamps);
    assert_eq!(installation.run(&["migrate", "--check"]).exits(0).out, "");
    assert_eq!(installation.run(&["migrate"]).exits(0).out, "");
}

#[test]
fn a_store_that_does_not_answer_is_unavailable() {
    let installation = Installation::new().with(
        "MINTMARK_DATABASE__URL",
        "postgres://mintmark:hunter2@127.0.0.1:1/mintmark",
    );
    for verb in [&["migrate"][..], &FIRST, &["serve"]] {
        let refused = installation.run(verb).exits(5);
        assert!(!refused.err.contains("hunter2"), "{refused:?}");
    }
}

#[test]
fn the_first_operator_is_made_on_the_machine_and_only_the_first() {
    let installation = Installation::new();
    let created = installation.run(&FIRST).exits(0);
    let token = created.out.strip_suffix('\n').unwrap();
    assert!(token.starts_with("mmo_") && !token.contains('\n'), "{created:?}");
    assert!(
        created.err.contains("ada@example.com") && !created.err.contains(token),
        "{created:?}"
    );

    let again = installation
        .run(&["operator", "create", "--email", "eve@example.com", "--role", "owner"])
        .exits(1);
    assert!(
        again.out.is_empty() && again.err.contains("there is an owner already"),
        "{again:?}"
    );

    let server = installation.serve();
    let shown = installation
        .with("MINTMARK_SERVER", &server.url())
        .with("MINTMARK_OPERATOR_TOKEN", token)
        .run(&["journal", "show", "--action", "operator.created", "--json"])
        .exits(0)
        .json_lines();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["actor"], "command line");
    assert!(shown[0]["detail"].as_str().unwrap().contains("ada@example.com"));
}

#[test]
fn the_first_operator_is_an_owner() {
    let installation = Installation::new();
    let refused = installation
        .run(&["operator", "create", "--email", "ada@example.com", "--role", "viewer"])
        .exits(2);
    assert!(refused.err.contains("must be an owner"), "{refused:?}");
    assert!(!installation.path().join("data").exists(), "nothing was made");
}

#[test]
fn for_scripts_the_first_operator_is_one_object() {
    let installation = Installation::new();
    let created = installation.run(&[&FIRST[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(created["operator"]["email"], "ada@example.com");
    assert_eq!(created["operator"]["role"], "owner");
    assert_eq!(created["operator"]["version"], 1);
    assert!(created["token"].as_str().unwrap().starts_with("mmo_"));
}

#[test]
fn on_sqlite_a_running_server_keeps_the_first_operator_out_and_the_message_says_what_to_do() {
    let installation = Installation::new();
    let server = installation.serve();
    let refused = installation.run(&FIRST).exits(1);
    assert!(
        refused.err.contains("in use by another mintmark process"),
        "{refused:?}"
    );
    assert!(
        refused.err.contains("stop the server, or ask it: --server"),
        "{refused:?}"
    );
    let log = server.end();
    assert!(log.contains("no owner has a token that works"), "{log}");
    installation.run(&FIRST).exits(0);
    let log = installation.serve().end();
    assert!(!log.contains("no owner has a token that works"), "{log}");
}

#[test]
fn on_postgresql_the_first_operator_is_made_beside_a_running_server() {
    let database = postgresql::fresh_url();
    let installation = Installation::new().with("MINTMARK_DATABASE__URL", &database.url);
    let server = installation.serve();
    let token = installation.first_operator();
    let listed = installation
        .with("MINTMARK_SERVER", &server.url())
        .with("MINTMARK_OPERATOR_TOKEN", &token)
        .run(&["operator", "list", "--json"])
        .exits(0)
        .json();
    assert_eq!(listed["email"], "ada@example.com");
}

#[test]
fn health_tells_a_ready_server_from_none() {
    let installation = Installation::new();
    let server = installation.serve();
    let installation = installation.with("MINTMARK_LISTEN__ADMIN", &server.admin);
    assert_eq!(installation.run(&["health"]).exits(0).out, "ready\n");
    drop(server);
    installation.run(&["health"]).exits(1);
}

#[test]
fn what_was_done_to_the_rows_is_named_in_the_store_and_through_a_server() {
    let installation = Installation::new();
    let token = installation.first_operator();
    drop(installation.serve());
    let verify_local = ["journal", "verify", "--local", "--json"];
    let held = installation.run(&verify_local).exits(0).json();
    assert_eq!(held["holds"], true);
    assert_eq!(held["epoch"], 5, "an operator and the keys: {held}");
    let path = installation.path().join("data/mintmark.db");
    let mut aside = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    aside
        .batch_execute("CREATE TABLE kept AS SELECT * FROM journal")
        .unwrap();
    for (tampering, named) in [
        (
            "UPDATE journal SET actor = 'nobody' WHERE epoch = 2",
            ["epoch 2 was altered"; 2],
        ),
        (
            "DELETE FROM journal WHERE epoch = 2",
            ["epoch 2 is missing: epoch 3 stands in its place"; 2],
        ),
        (
            "DELETE FROM journal WHERE epoch > 3",
            ["ends at epoch 3, but the head stands at epoch 5"; 2],
        ),
        (
            "DELETE FROM journal",
            ["ends at epoch 0, but the head stands at epoch 5"; 2],
        ),
        (
            "UPDATE journal SET action = 'hunter2' WHERE epoch = 4",
            ["unreadable action, at epoch 4", "epoch 4 cannot be read"],
        ),
        (
            "UPDATE journal SET hash = 'hunter2' WHERE epoch = 5",
            ["unreadable hash, at epoch 5", "epoch 5 cannot be read"],
        ),
    ] {
        aside.batch_execute(tampering).unwrap();
        let server = installation.serve();
        let mut verify = installation.command(&["journal", "verify", "--json"]);
        verify
            .env("MINTMARK_SERVER", server.url())
            .env("MINTMARK_OPERATOR_TOKEN", &token);
        let remote = super::finished(&mut verify).exits(1);
        drop(server);
        let local = installation.run(&verify_local).exits(1);
        for (broken, named) in [local, remote].iter().zip(named) {
            assert!(broken.err.contains(named), "{tampering}: {broken:?}");
            assert!(!broken.err.contains("hunter2"), "{broken:?}");
            assert_eq!(broken.json()["holds"], false, "{tampering}");
        }
        aside
            .batch_execute("DELETE FROM journal; INSERT INTO journal SELECT * FROM kept")
            .unwrap();
        installation.run(&verify_local).exits(0);
    }
}

#[test]
fn reading_the_journal_from_the_store_migrates_nothing() {
    let installation = Installation::new();
    let refused = installation.run(&["journal", "verify", "--local"]).exits(1);
    assert!(refused.err.contains("run `mintmark migrate`"), "{refused:?}");
    installation.run(&["migrate", "--check"]).exits(1);
    assert!(!installation.path().join("keys").exists(), "no key was made");
}

#[test]
fn over_tls_the_certificate_must_be_one_that_is_believed() {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).unwrap();
    let installation = Installation::new();
    let file = |name: &str, text: String| {
        let path = installation.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let certificate = file("certificate.pem", certified.cert.pem());
    let key = file("key.pem", certified.signing_key.serialize_pem());
    let installation = installation
        .with("MINTMARK_TLS__CERTIFICATE_FILE", &certificate)
        .with("MINTMARK_TLS__KEY_FILE", &key);
    let token = installation.first_operator();
    let server = installation.serve();
    let installation = installation
        .with("MINTMARK_LISTEN__ADMIN", &server.admin)
        .with("MINTMARK_OPERATOR_TOKEN", &token);
    installation.run(&["health"]).exits(0);
    let list = ["operator", "list", "--json"];
    let refused = installation.run(&list).exits(5);
    assert!(refused.err.contains("certificate"), "{refused:?}");
    let believed = installation
        .run(&[&list[..], &["--ca-file", &certificate]].concat())
        .exits(0);
    assert_eq!(believed.json()["email"], "ada@example.com");
}
