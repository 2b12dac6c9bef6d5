//! What was acknowledged is there after the process was killed in the middle of other writes; what somebody wrote past the server
//! is found and named.

use std::collections::BTreeSet;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use super::on_both_stores;
use crate::store::Aside;
use crate::support::calls::{Admin, Caller, Credentials, credentials, new_client};
use crate::support::server::Installation;

on_both_stores! { every_acknowledged_write_survives_twenty_kills a_row_written_past_the_server_is_named }

const ROUNDS: usize = 20;

/// One acknowledged write.
enum Acknowledged {
    Partner(String),
    Client(Credentials),
}

/// Everything acknowledged so far.
#[derive(Default)]
struct Promised {
    partners: BTreeSet<String>,
    clients: Vec<Credentials>,
}

fn every_acknowledged_write_survives_twenty_kills(installation: Installation) {
    let owner = installation.owner();
    let first = installation.start();
    first.admin(&owner).furnish();
    first.kill();
    let mut promised = Promised::default();
    for round in 0..ROUNDS {
        let server = installation.start();
        let admin = server.admin(&owner);
        promised.hold(&admin, &server.public_url("/qa/token"));
        let (sender, acknowledged) = mpsc::channel();
        let writers = [
            write_partners(admin.clone(), round, sender.clone()),
            write_clients(admin, sender),
        ];
        // Killed after so many acknowledgements, while both writers go on.
        for write in acknowledged.iter().take(round + 3) {
            promised.note(write);
        }
        server.kill();
        acknowledged.iter().for_each(|write| promised.note(write));
        for writer in writers {
            writer.join().expect("the writer ends with the connection");
        }
        assert_verified(&installation);
    }
    let server = installation.start();
    promised.hold(&server.admin(&owner), &server.public_url("/qa/token"));
    assert!(promised.partners.len() + promised.clients.len() > ROUNDS * 3);
}

/// Registers partners until the server is gone.
fn write_partners(admin: Admin, round: usize, acknowledged: Sender<Acknowledged>) -> JoinHandle<()> {
    thread::spawn(move || {
        for number in 0.. {
            let partner_id = format!("p-{round}-{number}");
            let body = json!({ "partner_id": partner_id, "name": partner_id });
            let Ok(reply) = admin.try_post("/partners", &body) else {
                return;
            };
            reply.expect(201);
            acknowledged
                .send(Acknowledged::Partner(partner_id))
                .expect("the test listens");
        }
    })
}

/// Registers clients until the server is gone.
fn write_clients(admin: Admin, acknowledged: Sender<Acknowledged>) -> JoinHandle<()> {
    thread::spawn(move || {
        while let Ok(reply) = admin.try_post("/clients", &new_client("qa")) {
            let client = credentials(&reply.expect(201));
            acknowledged
                .send(Acknowledged::Client(client))
                .expect("the test listens");
        }
    })
}

impl Promised {
    fn note(&mut self, write: Acknowledged) {
        match write {
            Acknowledged::Partner(partner_id) => drop(self.partners.insert(partner_id)),
            Acknowledged::Client(client) => self.clients.push(client),
        }
    }

    /// Everything promised is there, nothing is there without its row in the journal, and the newest secret works.
    fn hold(&self, admin: &Admin, token_endpoint: &str) {
        for (path, member, promised) in [
            ("/partners", "partner_id", self.partners.clone()),
            (
                "/clients",
                "client_id",
                self.clients.iter().map(|client| client.client_id.clone()).collect(),
            ),
        ] {
            let kept = members(&admin.list(path), member);
            let lost: Vec<_> = promised.difference(&kept).collect();
            assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
            let noun = path.trim_start_matches('/').trim_end_matches('s');
            let told = members(&admin.list(&format!("/journal?action={noun}.registered")), "subject");
            assert_eq!(kept, told, "what there is, and what the journal tells of");
        }
        if let Some(newest) = self.clients.last() {
            Caller::new().token(token_endpoint, newest).issued();
        }
    }
}

fn members(items: &[Value], name: &str) -> BTreeSet<String> {
    items
        .iter()
        .map(|item| item[name].as_str().expect("it is a text").to_owned())
        .collect()
}

fn assert_verified(installation: &Installation) {
    let verified = installation.run(&["journal", "verify", "--local"]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(verified.out.starts_with("The journal holds: "), "{verified:?}");
}

fn a_row_written_past_the_server_is_named(installation: Installation) {
    let owner = installation.owner();
    let server = installation.start();
    let admin = server.admin(&owner);
    admin.furnish();
    let head = admin.get("/journal/head")["epoch"]
        .as_i64()
        .expect("the head has a number");
    assert_eq!(server.stop().0, Some(0));
    assert_verified(&installation);
    for (statement, epoch) in [
        (
            format!("UPDATE journal SET actor = 'nobody' WHERE epoch = {head}"),
            head,
        ),
        ("UPDATE journal SET detail = '{}' WHERE epoch = 2".to_owned(), 2),
        ("DELETE FROM journal WHERE epoch = 1".to_owned(), 1),
    ] {
        Aside::open(installation.url()).execute(&statement);
        let verified = installation.run(&["journal", "verify", "--local"]);
        assert_eq!(verified.code, Some(1), "{statement}: {verified:?}");
        assert!(verified.err.contains("the journal does not hold"), "{verified:?}");
        assert!(
            verified.err.contains(&format!("epoch {epoch}")),
            "{statement}: {verified:?}"
        );
    }
}
