//! What can be read, in SQL.

use diesel::prelude::*;

use super::failure::of_query;
use super::search::{self, ESCAPE};
use super::{meters, notices, surveys, usage};
use crate::domain::{
    Api, ApiId, Client, ClientId, ClientSecret, Ending, Environment, Epoch, IdempotencyKey, IdempotencyRecord,
    JournalEntry, KeptNotice, KeyId, Meter, NoticeId, NoticeKind, Operator, OperatorId, Partner, PartnerId,
    RevokedToken, SecretDigest, SigningKeyRecord, Span, Timestamp, TokenId,
};
use crate::store::connection::DbConn;
use crate::store::rows::{
    ApiRow, ClientRow, IdempotencyRow, JournalRow, OperatorRow, PartnerRow, RevokedEndRow, RevokedTokenRow, SecretRow,
    SigningKeyRow,
};
use crate::store::schema::{
    apis, client_secrets, clients, epoch, idempotency_keys, installation, journal, operators, partners, revoked_tokens,
    signing_keys,
};
use crate::store::{
    ClientCount, ClientFilter, EndingCount, EndingKey, JournalFilter, NearEnd, NoticeFilter, Order, Page,
    PartnerFilter, Records, StoreError, UsageFilter, UsagePlace, UsageRow,
};

/// The records behind one connection.
pub(super) struct SqlRecords<'a> {
    connection: &'a mut DbConn,
    /// Within a commit, which has taken the next epoch already: the head before it.
    before: Option<Epoch>,
}

impl<'a> SqlRecords<'a> {
    pub(super) const fn new(connection: &'a mut DbConn) -> Self {
        Self {
            connection,
            before: None,
        }
    }

    pub(super) const fn within_commit(connection: &'a mut DbConn, before: Epoch) -> Self {
        Self {
            connection,
            before: Some(before),
        }
    }
}

/// The number in the one row of the epoch.
pub(super) fn head(connection: &mut DbConn) -> Result<Epoch, StoreError> {
    epoch::table
        .select(epoch::number)
        .get_result(connection)
        .map(Epoch::new)
        .map_err(|error| of_query("epoch", &error))
}

/// The row of `table`, if there is one, as a noun.
fn one<R, N>(table: &'static str, found: QueryResult<R>) -> Result<Option<N>, StoreError>
where
    N: TryFrom<R, Error = StoreError>,
{
    let row = found.optional().map_err(|error| of_query(table, &error))?;
    row.map(N::try_from).transpose()
}

/// The rows of `table` as nouns.
fn all<R, N>(table: &'static str, found: QueryResult<Vec<R>>) -> Result<Vec<N>, StoreError>
where
    N: TryFrom<R, Error = StoreError>,
{
    let rows = found.map_err(|error| of_query(table, &error))?;
    rows.into_iter().map(N::try_from).collect()
}

impl Records for SqlRecords<'_> {
    fn epoch(&mut self) -> Result<Epoch, StoreError> {
        self.before.map_or_else(|| head(self.connection), Ok)
    }

    fn partner(&mut self, partner_id: &PartnerId) -> Result<Option<Partner>, StoreError> {
        let query = partners::table
            .find(partner_id.as_str())
            .select(PartnerRow::as_select());
        one("partners", query.first(self.connection))
    }

    fn partners(&mut self, filter: &PartnerFilter, page: &Page<PartnerId>) -> Result<Vec<Partner>, StoreError> {
        let mut query = partners::table.select(PartnerRow::as_select()).into_boxed();
        if let Some(status) = filter.status {
            query = query.filter(partners::status.eq(status.as_str()));
        }
        if let Some(parent) = &filter.parent {
            query = query.filter(partners::parent.eq(parent.as_str()));
        }
        if let Some(search) = &filter.search {
            let pattern = search::pattern(search);
            let name = search::folded(self.connection, "partners.name");
            let in_id = partners::partner_id.like(pattern.clone()).escape(ESCAPE);
            query = query.filter(in_id.or(name.like(pattern).escape(ESCAPE)));
        }
        if let Some(after) = &page.after {
            query = query.filter(partners::partner_id.gt(after.as_str()));
        }
        let query = query.order(partners::partner_id).limit(page.limit.into());
        all("partners", query.load(self.connection))
    }

    fn apis(&mut self, environment: Environment) -> Result<Vec<Api>, StoreError> {
        let query = apis::table
            .filter(apis::environment.eq(environment.as_str()))
            .order(apis::api_id)
            .select(ApiRow::as_select());
        all("apis", query.load(self.connection))
    }

    fn api(&mut self, environment: Environment, api_id: &ApiId) -> Result<Option<Api>, StoreError> {
        let query = apis::table
            .find((environment.as_str(), api_id.as_str()))
            .select(ApiRow::as_select());
        one("apis", query.first(self.connection))
    }

    fn client(&mut self, client_id: &ClientId) -> Result<Option<Client>, StoreError> {
        let query = clients::table.find(client_id.as_str()).select(ClientRow::as_select());
        one("clients", query.first(self.connection))
    }

    fn clients(&mut self, filter: &ClientFilter, page: &Page<ClientId>) -> Result<Vec<Client>, StoreError> {
        let mut query = clients::table.select(ClientRow::as_select()).into_boxed();
        if let Some(environment) = filter.environment {
            query = query.filter(clients::environment.eq(environment.as_str()));
        }
        if let Some(partner_id) = &filter.partner_id {
            query = query.filter(clients::partner_id.eq(partner_id.as_str()));
        }
        if let Some(api_id) = &filter.api_id {
            query = query.filter(clients::api_id.eq(api_id.as_str()));
        }
        if let Some(status) = filter.status {
            query = query.filter(clients::status.eq(status.as_str()));
        }
        if let Some(search) = &filter.search {
            let pattern = search::pattern(search);
            let name = search::folded(self.connection, "clients.name");
            let in_id = clients::client_id.like(pattern.clone()).escape(ESCAPE);
            let in_contact = clients::contact.like(pattern.clone()).escape(ESCAPE);
            query = query.filter(in_id.or(in_contact).or(name.like(pattern).escape(ESCAPE)));
        }
        if let Some(after) = &page.after {
            query = query.filter(clients::client_id.gt(after.as_str()));
        }
        let query = query.order(clients::client_id).limit(page.limit.into());
        all("clients", query.load(self.connection))
    }

    fn secrets(&mut self, client_id: &ClientId) -> Result<Vec<ClientSecret>, StoreError> {
        let query = client_secrets::table
            .filter(client_secrets::client_id.eq(client_id.as_str()))
            .order((client_secrets::first_version, client_secrets::secret_id))
            .select(SecretRow::as_select());
        all("client_secrets", query.load(self.connection))
    }

    fn endings(&mut self, near: &NearEnd, page: &Page<EndingKey>) -> Result<Vec<Ending>, StoreError> {
        notices::endings(self.connection, near, page)
    }

    fn count_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span)) -> Result<EndingCount, StoreError> {
        notices::count_endings(self.connection, kind, when)
    }

    fn soonest_endings(&mut self, kind: NoticeKind, when: (Timestamp, Span, u16)) -> Result<Vec<Ending>, StoreError> {
        surveys::soonest_endings(self.connection, kind, when)
    }

    fn client_counts(&mut self) -> Result<Vec<ClientCount>, StoreError> {
        surveys::client_counts(self.connection)
    }

    fn clients_with_spare_secrets(
        &mut self,
        now: Timestamp,
        page: &Page<ClientId>,
    ) -> Result<Vec<ClientId>, StoreError> {
        surveys::clients_with_spare_secrets(self.connection, now, page)
    }

    fn notices(&mut self, filter: &NoticeFilter, page: &Page<NoticeId>) -> Result<Vec<KeptNotice>, StoreError> {
        notices::notices(self.connection, filter, page)
    }

    fn operators(&mut self) -> Result<Vec<Operator>, StoreError> {
        let query = operators::table
            .order(operators::operator_id)
            .select(OperatorRow::as_select());
        all("operators", query.load(self.connection))
    }

    fn operator(&mut self, operator_id: &OperatorId) -> Result<Option<Operator>, StoreError> {
        let query = operators::table
            .find(operator_id.as_str())
            .select(OperatorRow::as_select());
        one("operators", query.first(self.connection))
    }

    fn operator_by_token(&mut self, digest: &SecretDigest) -> Result<Option<Operator>, StoreError> {
        // The index finds it in a time that depends on the digest. That tells nothing: the digest is keyed.
        let query = operators::table
            .filter(operators::token_digest.eq(digest.as_bytes().as_slice()))
            .select(OperatorRow::as_select());
        one("operators", query.first(self.connection))
    }

    fn signing_keys(&mut self, environment: Environment) -> Result<Vec<SigningKeyRecord>, StoreError> {
        let query = signing_keys::table
            .filter(signing_keys::environment.eq(environment.as_str()))
            .order((signing_keys::first_version, signing_keys::kid))
            .select(SigningKeyRow::as_select());
        all("signing_keys", query.load(self.connection))
    }

    fn signing_key(&mut self, kid: &KeyId) -> Result<Option<SigningKeyRecord>, StoreError> {
        let query = signing_keys::table
            .find(kid.as_str())
            .select(SigningKeyRow::as_select());
        one("signing_keys", query.first(self.connection))
    }

    fn revoked_token(&mut self, jti: &TokenId) -> Result<Option<RevokedToken>, StoreError> {
        let query = revoked_tokens::table
            .find(jti.as_str())
            .select(RevokedTokenRow::as_select());
        one("revoked_tokens", query.first(self.connection))
    }

    fn revoked_tokens(&mut self, page: &Page<TokenId>) -> Result<Vec<(TokenId, Timestamp)>, StoreError> {
        let mut query = revoked_tokens::table.select(RevokedEndRow::as_select()).into_boxed();
        if let Some(after) = &page.after {
            query = query.filter(revoked_tokens::jti.gt(after.as_str()));
        }
        let query = query.order(revoked_tokens::jti).limit(page.limit.into());
        all("revoked_tokens", query.load(self.connection))
    }

    fn idempotency(
        &mut self,
        operator_id: &OperatorId,
        key: &IdempotencyKey,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        let query = idempotency_keys::table
            .find((operator_id.as_str(), key.as_str()))
            .select(IdempotencyRow::as_select());
        one("idempotency_keys", query.first(self.connection))
    }

    fn usage(&mut self, filter: &UsageFilter, page: &Page<UsagePlace>) -> Result<Vec<UsageRow>, StoreError> {
        usage::read(self.connection, filter, page)
    }

    fn journal(&mut self, filter: &JournalFilter, page: &Page<Epoch>) -> Result<Vec<JournalEntry>, StoreError> {
        let mut query = journal::table.select(JournalRow::as_select()).into_boxed();
        if let Some(action) = filter.action {
            query = query.filter(journal::action.eq(action.as_str()));
        }
        if let Some(noun) = filter.noun {
            query = query.filter(journal::noun.eq(noun.as_str()));
        }
        if let Some(subject) = &filter.subject {
            if subject.contains('\0') {
                // PostgreSQL knows no such text; nothing is called by it.
                return Ok(Vec::new());
            }
            query = query.filter(journal::subject.eq(subject.as_str()));
        }
        if let Some(partner_id) = &filter.partner_id {
            query = query.filter(journal::partner_id.eq(partner_id.as_str()));
        }
        if let Some(environment) = filter.environment {
            query = query.filter(journal::environment.eq(environment.as_str()));
        }
        if let Some(after) = page.after {
            query = match filter.order {
                Order::OldestFirst => query.filter(journal::epoch.gt(after.get())),
                Order::NewestFirst => query.filter(journal::epoch.lt(after.get())),
            };
        }
        let query = match filter.order {
            Order::OldestFirst => query.order(journal::epoch.asc()),
            Order::NewestFirst => query.order(journal::epoch.desc()),
        };
        all("journal", query.limit(page.limit.into()).load(self.connection))
    }

    fn drawn(&mut self, meter: &Meter) -> Result<u64, StoreError> {
        meters::drawn(self.connection, meter).map(Option::unwrap_or_default)
    }

    fn master_key_check(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        installation::table
            .select(installation::master_key_check)
            .get_result(self.connection)
            .map_err(|error| of_query("installation", &error))
    }
}
