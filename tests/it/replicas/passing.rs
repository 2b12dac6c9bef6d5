//! Time that is made to pass for the signing keys, rotations in it, and the judgement over every `kid`.
//!
//! A resource server may keep a JWK set for `max-age` from the moment it asked for it (RFC 9111 §4.2.3), and fetch none meanwhile.
//! So of every set that was served, each token received while it may still be kept must be signed with one of its keys.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::load::Observation;
use super::question::Told;
use crate::store::Aside;
use crate::support::calls::Admin;
use crate::support::server::PATIENCE;

/// Time as the keys see it: the machine's, and what was made to pass by setting their times back.
pub struct Passing {
    began: Instant,
    jumps: Vec<(Instant, Duration)>,
    aside: Aside,
}

impl Passing {
    pub fn begin(url: &str) -> Self {
        let mut aside = Aside::open(url);
        aside.execute("SET default_transaction_isolation = 'read committed'");
        Self {
            began: Instant::now(),
            jumps: Vec::new(),
            aside,
        }
    }

    /// Lets so many seconds pass at once.
    pub fn pass(&mut self, seconds: u64) {
        self.jumps.push((Instant::now(), Duration::from_secs(seconds)));
        self.aside.execute(&format!(
            "UPDATE signing_keys SET announced_at = announced_at - {seconds}, active_since = active_since - {seconds},
             retiring_since = retiring_since - {seconds}"
        ));
    }

    /// Rotates the keys of `qa` by hand, at the first moment at which that is allowed.
    pub fn rotate(&mut self, admin: &Admin) {
        let since = Instant::now();
        loop {
            let reply = admin.post("/keys/qa/rotate", &Value::Null);
            match reply.status {
                200 => return,
                _ => assert_eq!(reply.expect(409)["type"], "urn:mintmark:problem:conflict"),
            }
            assert!(since.elapsed() < PATIENCE, "it never comes to a rotation");
            self.pass(1);
        }
    }

    /// When that was.
    fn at(&self, moment: Instant) -> Duration {
        let jumps = self.jumps.iter().filter(|(at, _)| *at <= moment);
        moment - self.began + jumps.map(|(_, passed)| *passed).sum::<Duration>()
    }

    /// Tokens signed with a key that is in a set which may still have been kept, with that set.
    pub fn unknown<'a>(&self, seen: &'a [Observation]) -> Vec<(&'a Observation, &'a Observation)> {
        let tokens: Vec<_> = seen
            .iter()
            .filter_map(|each| match &each.told {
                Told::Token { kid, .. } => Some((each, self.at(each.received), kid)),
                _ => None,
            })
            .collect();
        let mut unknown = Vec::new();
        for set in seen {
            let Told::Keys { kids, max_age } = &set.told else {
                continue;
            };
            let (from, until) = (self.at(set.received), self.at(set.sent) + Duration::from_secs(*max_age));
            let kept = tokens.iter().filter(|(_, at, _)| (from..until).contains(at));
            unknown.extend(
                kept.filter(|(_, _, kid)| !kids.contains(kid))
                    .map(|(token, _, _)| (*token, set)),
            );
        }
        unknown
    }

    /// Nobody who keeps a set as long as it may be kept was surprised.
    #[track_caller]
    pub fn assert_known(&self, seen: &[Observation]) {
        let unknown = self.unknown(seen);
        assert!(unknown.is_empty(), "{} times, first {:?}", unknown.len(), unknown[0]);
    }
}

/// The ids of the keys that have signed.
pub fn signed_with(seen: &[Observation]) -> BTreeSet<&str> {
    let kids = seen.iter().filter_map(|each| match &each.told {
        Told::Token { kid, .. } => Some(kid.as_str()),
        _ => None,
    });
    kids.collect()
}
