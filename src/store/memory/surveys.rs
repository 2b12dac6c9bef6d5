//! What is counted and looked for over all clients, on the shelves.

use std::collections::BTreeMap;

use super::Shelves;
use crate::domain::{ClientId, ClientStatus, Ending, Environment, NoticeKind, Span, Timestamp};
use crate::store::{ClientCount, Page};

impl Shelves {
    pub(super) fn counted_clients(&self) -> Vec<ClientCount> {
        let mut counts: BTreeMap<(&str, &str), (Environment, ClientStatus, u64)> = BTreeMap::new();
        for client in self.clients.values() {
            let (environment, status) = (client.environment, client.status);
            let key = (environment.as_str(), status.as_str());
            counts.entry(key).or_insert((environment, status, 0)).2 += 1;
        }
        let count = |(environment, status, clients)| ClientCount {
            environment,
            status,
            clients,
        };
        counts.into_values().map(count).collect()
    }

    pub(super) fn clients_with_more_secrets(&self, now: Timestamp, page: &Page<ClientId>) -> Vec<ClientId> {
        let mut counts: BTreeMap<&ClientId, usize> = BTreeMap::new();
        for secret in self.secrets.iter().filter(|secret| !secret.has_ended(now)) {
            *counts.entry(&secret.client_id).or_default() += 1;
        }
        counts
            .into_iter()
            .filter(|(client_id, count)| *count > 1 && page.after.as_ref().is_none_or(|after| *client_id > after))
            .map(|(client_id, _)| client_id.clone())
            .take(page.limit.into())
            .collect()
    }

    pub(super) fn first_endings(&self, kind: NoticeKind, (now, span, limit): (Timestamp, Span, u16)) -> Vec<Ending> {
        let mut endings: Vec<Ending> = self
            .live_endings(kind, now)
            .filter(|ending| span.holds(ending.expires_at))
            .collect();
        endings.sort_by_key(Ending::key);
        endings.truncate(limit.into());
        endings
    }
}
