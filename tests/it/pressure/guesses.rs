//! Floods of credentials that are none: wrong secrets of a client that exists, and ids that nobody has.

use std::collections::BTreeMap;
use std::time::Duration;

use mintmark::ambient::SystemEntropy;
use mintmark::domain::{ClientId, Environment, Secret, SecretKind};

use super::{Attack, World};
use crate::process::on_both_stores;
use crate::support::calls::Credentials;
use crate::support::server::Installation;
use crate::support::wire::Wire;

on_both_stores! {
    a_flood_of_wrong_secrets_locks_out_those_who_guess_and_nobody_else
    a_flood_of_unknown_ids_starves_neither_partners_nor_operators
}

/// Requests that are under way at a time.
const AT_A_TIME: usize = 8;

/// Sends requests in batches over connections that are kept, and counts the answers by status.
fn flood(world: &World, attack: &Attack, mut request: impl FnMut(usize) -> Vec<u8>) -> BTreeMap<u16, usize> {
    let mut wires: Vec<Wire> = (0..AT_A_TIME).map(|_| Wire::open(world.server.public())).collect();
    let (mut sent, mut answers) = (0, BTreeMap::new());
    loop {
        for wire in &mut wires {
            wire.send(&request(sent));
            sent += 1;
        }
        for wire in &mut wires {
            *answers.entry(wire.answer().status).or_default() += 1;
        }
        attack.is_underway();
        if !attack.goes_on_after(Duration::ZERO) {
            return answers;
        }
    }
}

fn from(source: &str) -> String {
    format!("X-Forwarded-For: {source}\r\n")
}

/// Credentials of the right form that nobody has.
fn made_up() -> Credentials {
    let entropy = SystemEntropy::new();
    Credentials {
        client_id: ClientId::mint(Environment::Qa, "acme", &entropy).to_string(),
        secret: Secret::mint(SecretKind::Client(Environment::Qa), &entropy)
            .expose()
            .to_owned(),
    }
}

fn a_flood_of_wrong_secrets_locks_out_those_who_guess_and_nobody_else(installation: Installation) {
    let installation = installation
        .with("trusted_proxies", "127.0.0.1")
        .with("limits.failures_per_minute", "5");
    let world = World::warm(installation);
    let neighbour = world.admin.client("qa");
    let wrong = |of: &Credentials| Credentials {
        client_id: of.client_id.clone(),
        ..made_up()
    };
    let (guessed, neighbours) = (wrong(&world.partner), wrong(&neighbour));
    world.stands(|attack| {
        // The partner's id from twenty other addresses, its neighbour's from the partner's own.
        let answers = flood(&world, attack, |number| match number % 21 {
            20 => world.asking(&neighbours, ""),
            host => world.asking(&guessed, &from(&format!("198.51.100.{host}"))),
        });
        assert_eq!(answers.keys().copied().collect::<Vec<_>>(), [401, 429], "{answers:?}");
        assert!(answers[&429] > answers[&401], "{answers:?}");
    });
    let status = |credentials: &Credentials, source: &str| {
        let mut wire = Wire::open(world.server.public());
        wire.send(&world.asking(credentials, &from(source)));
        wire.answer().status
    };
    assert_eq!(
        status(&world.partner, "198.51.100.7"),
        429,
        "who guessed is shut out even with the right secret"
    );
    assert_eq!(status(&world.partner, "127.0.0.1"), 200);
    assert_eq!(status(&neighbour, "127.0.0.1"), 429);
    assert_eq!(status(&neighbour, "192.0.2.1"), 200);
    assert_eq!(status(&neighbour, "198.51.100.7"), 200, "the budget is the pair's");
    world.has_told_of_every_refusal();
}

fn a_flood_of_unknown_ids_starves_neither_partners_nor_operators(installation: Installation) {
    let installation = installation
        .with("trusted_proxies", "127.0.0.1")
        .with("database.pool_size", "2");
    let world = World::warm(installation);
    world.stands(|attack| {
        let answers = flood(&world, attack, |number| {
            let source = format!("10.{}.{}.{}", number >> 16 & 0xff, number >> 8 & 0xff, number & 0xff);
            world.asking(&made_up(), &from(&source))
        });
        assert_eq!(answers.keys().copied().collect::<Vec<_>>(), [401], "{answers:?}");
    });
}
