//! What can be read, from the shelves.

use super::Shelves;
use crate::domain::{
    Api, ApiId, Client, ClientId, ClientSecret, Ending, Environment, Epoch, IdempotencyKey, IdempotencyRecord,
    JournalEntry, KeptNotice, KeyId, Meter, NoticeId, NoticeKind, Operator, OperatorId, Partner, PartnerId,
    RevokedToken, SecretDigest, SigningKeyRecord, Span, Timestamp, TokenId,
};
use crate::store::{
    ClientCount, ClientFilter, EndingCount, EndingKey, JournalFilter, NearEnd, NoticeFilter, Order, Page,
    PartnerFilter, Records, StoreError, UsageFilter, UsagePlace, UsageRow,
};

/// The rows after the page's key, at most as many as it allows.
fn piece<'a, K: Ord + 'a, V: Clone + 'a>(
    rows: impl Iterator<Item = (&'a K, &'a V)>,
    page: &Page<K>,
    admits: impl Fn(&V) -> bool,
) -> Vec<V> {
    rows.filter(|(key, _)| page.after.as_ref().is_none_or(|after| *key > after))
        .map(|(_, row)| row)
        .filter(|row| admits(row))
        .take(usize::from(page.limit))
        .cloned()
        .collect()
}

impl Records for Shelves {
    fn epoch(&mut self) -> Result<Epoch, StoreError> {
        Ok(self.journal.last().map_or(Epoch::ZERO, |entry| entry.epoch))
    }

    fn partner(&mut self, partner_id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        Ok(self.partners.get(partner_id).cloned())
    }

    fn partners(&mut self, filter: &PartnerFilter, page: &Page<PartnerId>) -> Result<Vec<Partner>, StoreError> {
        Ok(piece(self.partners.iter(), page, |partner| filter.admits(partner)))
    }

    fn apis(&mut self, environment: Environment) -> Result<Vec<Api>, StoreError> {
        Ok(self
            .apis
            .values()
            .filter(|api| api.environment == environment)
            .cloned()
            .collect())
    }

    fn api(&mut self, environment: Environment, api_id: &ApiId) -> Result<Option<Api>, StoreError> {
        Ok(self.apis.get(&(environment, api_id.clone())).cloned())
    }

    fn client(&mut self, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        Ok(self.clients.get(client_id).cloned())
    }

    fn clients(&mut self, filter: &ClientFilter, page: &Page<ClientId>) -> Result<Vec<Client>, StoreError> {
        Ok(piece(self.clients.iter(), page, |client| filter.admits(client)))
    }

    fn secrets(&mut self, client_id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        Ok(self
            .secrets
            .iter()
            .filter(|secret| secret.client_id == *client_id)
            .cloned()
            .collect())
    }

    fn endings(&mut self, near: &NearEnd, page: &Page<EndingKey>) -> Result<Vec<Ending>, StoreError> {
        Ok(self.near_endings(near, page))
    }

    fn count_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span)) -> Result<EndingCount, StoreError> {
        Ok(self.count_near_endings(kind, when))
    }

    fn soonest_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span, u16)) -> Result<Vec<Ending>, StoreError> {
        Ok(self.first_endings(kind, when))
    }

    fn client_counts(&mut self) -> Result<Vec<ClientCount>, StoreError> {
        Ok(self.counted_clients())
    }

    fn clients_with_spare_secrets(
        &mut self,
        now: Timestamp,
        page: &Page<ClientId>,
    ) -> Result<Vec<ClientId>, StoreError> {
        Ok(self.clients_with_more_secrets(now, page))
    }

    fn notices(&mut self, filter: &NoticeFilter, page: &Page<NoticeId>) -> Result<Vec<KeptNotice>, StoreError> {
        Ok(self.listed_notices(filter, page))
    }

    fn operators(&mut self) -> Result<Vec<Operator>, StoreError> {
        Ok(self.operators.values().cloned().collect())
    }

    fn operator(&mut self, operator_id: &OperatorId) -> Result<Option<Operator>, StoreError> {
        Ok(self.operators.get(operator_id).cloned())
    }

    fn operator_by_token(&mut self, digest: &SecretDigest) -> Result<Option<Operator>, StoreError> {
        Ok(self
            .operators
            .values()
            .find(|operator| operator.token_digest.matches(digest))
            .cloned())
    }

    fn signing_keys(&mut self, environment: Environment) -> Result<Vec<SigningKeyRecord>, StoreError> {
        Ok(self
            .keys
            .iter()
            .filter(|key| key.environment == environment)
            .cloned()
            .collect())
    }

    fn signing_key(&mut self, kid: &KeyId) -> Result<Option<SigningKeyRecord>, StoreError> {
        Ok(self.keys.iter().find(|key| key.kid == *kid).cloned())
    }

    fn revoked_token(&mut self, jti: &TokenId) -> Result<Option<RevokedToken>, StoreError> {
        Ok(self.revoked_tokens.get(jti).cloned())
    }

    fn revoked_tokens(&mut self, page: &Page<TokenId>) -> Result<Vec<(TokenId, Timestamp)>, StoreError> {
        let tokens = piece(self.revoked_tokens.iter(), page, |_| true);
        Ok(tokens.into_iter().map(|token| (token.jti, token.expires_at)).collect())
    }

    fn idempotency(
        &mut self,
        operator_id: &OperatorId,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        Ok(self.idempotency.get(&(operator_id.clone(), key.clone())).cloned())
    }

    fn usage(&mut self, filter: &UsageFilter, page: &Page<UsagePlace>) -> Result<Vec<UsageRow>, StoreError> {
        Ok(self.usage.rows(filter, page))
    }

    fn journal(&mut self, filter: &JournalFilter, page: &Page<Epoch>) -> Result<Vec<JournalEntry>, StoreError> {
        let admitted = |entry: &&JournalEntry| filter.admits(entry) && filter.is_beyond(entry.epoch, page.after);
        let limit = usize::from(page.limit);
        Ok(match filter.order {
            Order::OldestFirst => self.journal.iter().filter(admitted).take(limit).cloned().collect(),
            Order::NewestFirst => self
                .journal
                .iter()
                .rev()
                .filter(admitted)
                .take(limit)
                .cloned()
                .collect(),
        })
    }

    fn drawn(&mut self, meter: &Meter) -> Result<u64, StoreError> {
        Ok(self.meters.get(meter).copied().unwrap_or_default())
    }

    fn master_key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.master_key_check.clone())
    }
}
