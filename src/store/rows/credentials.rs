//! Secrets, operators, signing keys, revoked tokens and idempotency keys as rows.

use diesel::prelude::*;

use super::{Columns, seconds};
use crate::domain::{
    ClientSecret, Epoch, IdempotencyRecord, KeyState, Operator, OperatorStatus, RevokedToken, SecretDigest,
    SecretStatus, SigningKeyRecord, Timestamp, TokenId,
};
use crate::store::StoreError;
use crate::store::schema::{client_secrets, idempotency_keys, operators, revoked_tokens, signing_keys};

/// `first_version`, `last_used_at` and `last_used_source` are written when the row is made; no change moves them.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = client_secrets, primary_key(secret_id))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::store) struct SecretRow {
    pub(in crate::store) secret_id: String,
    client_id: String,
    digest: Vec<u8>,
    note: Option<String>,
    hint: String,
    created_by: String,
    created_at: i64,
    not_before: i64,
    status: String,
    expires_at: Option<i64>,
    #[diesel(skip_update)]
    last_used_at: Option<i64>,
    #[diesel(skip_update)]
    first_version: i64,
    version: i64,
    #[diesel(skip_update)]
    last_used_source: Option<String>,
}

impl From<ClientSecret> for SecretRow {
    fn from(secret: ClientSecret) -> Self {
        Self {
            secret_id: secret.secret_id.into(),
            client_id: secret.client_id.into(),
            digest: secret.digest.as_bytes().to_vec(),
            note: secret.note.map(String::from),
            hint: secret.hint,
            created_by: secret.created_by,
            created_at: secret.created_at.seconds(),
            not_before: secret.not_before.seconds(),
            status: secret.status.as_str().to_owned(),
            expires_at: seconds(secret.expires_at),
            last_used_at: seconds(secret.last_used_at),
            first_version: secret.version.get(),
            version: secret.version.get(),
            last_used_source: secret.last_used_source.map(|source| source.to_string()),
        }
    }
}

impl TryFrom<SecretRow> for ClientSecret {
    type Error = StoreError;

    fn try_from(row: SecretRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("client_secrets");
        Ok(Self {
            secret_id: COLUMNS.text("secret_id", &row.secret_id)?,
            client_id: COLUMNS.text("client_id", &row.client_id)?,
            digest: SecretDigest::from_bytes(COLUMNS.digest("digest", &row.digest)?),
            note: COLUMNS.optional_text("note", row.note.as_deref())?,
            hint: row.hint,
            created_by: row.created_by,
            created_at: COLUMNS.moment("created_at", row.created_at)?,
            not_before: COLUMNS.moment("not_before", row.not_before)?,
            status: COLUMNS.word("status", &row.status, (&SecretStatus::ALL, SecretStatus::as_str))?,
            expires_at: COLUMNS.optional_moment("expires_at", row.expires_at)?,
            last_used_at: COLUMNS.optional_moment("last_used_at", row.last_used_at)?,
            last_used_source: COLUMNS.optional_text("last_used_source", row.last_used_source.as_deref())?,
            version: Epoch::new(row.version),
        })
    }
}

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = operators, primary_key(operator_id))]
pub(in crate::store) struct OperatorRow {
    pub(in crate::store) operator_id: String,
    email: String,
    role: String,
    token_digest: Vec<u8>,
    token_hint: String,
    token_expires_at: i64,
    status: String,
    created_at: i64,
    version: i64,
}

impl From<Operator> for OperatorRow {
    fn from(operator: Operator) -> Self {
        Self {
            operator_id: operator.operator_id.into(),
            email: operator.email.into(),
            role: operator.role.as_str().to_owned(),
            token_digest: operator.token_digest.as_bytes().to_vec(),
            token_hint: operator.token_hint,
            token_expires_at: operator.token_expires_at.seconds(),
            status: operator.status.as_str().to_owned(),
            created_at: operator.created_at.seconds(),
            version: operator.version.get(),
        }
    }
}

impl TryFrom<OperatorRow> for Operator {
    type Error = StoreError;

    fn try_from(row: OperatorRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("operators");
        Ok(Self {
            operator_id: COLUMNS.text("operator_id", &row.operator_id)?,
            email: COLUMNS.text("email", &row.email)?,
            role: COLUMNS.text("role", &row.role)?,
            token_digest: SecretDigest::from_bytes(COLUMNS.digest("token_digest", &row.token_digest)?),
            token_hint: row.token_hint,
            token_expires_at: COLUMNS.moment("token_expires_at", row.token_expires_at)?,
            status: COLUMNS.word("status", &row.status, (&OperatorStatus::ALL, OperatorStatus::as_str))?,
            created_at: COLUMNS.moment("created_at", row.created_at)?,
            version: Epoch::new(row.version),
        })
    }
}

/// `first_version` is written when the row is made; no change moves it.
#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = signing_keys, primary_key(kid))]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(in crate::store) struct SigningKeyRow {
    pub(in crate::store) kid: String,
    environment: String,
    algorithm: String,
    state: String,
    public_jwk: String,
    sealed_private_key: Vec<u8>,
    announced_at: i64,
    jwks_max_age: i64,
    active_since: Option<i64>,
    retiring_since: Option<i64>,
    retired_at: Option<i64>,
    #[diesel(skip_update)]
    first_version: i64,
    version: i64,
}

impl From<SigningKeyRecord> for SigningKeyRow {
    fn from(key: SigningKeyRecord) -> Self {
        Self {
            kid: key.kid.into(),
            environment: key.environment.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            state: key.state.as_str().to_owned(),
            public_jwk: key.public_jwk,
            sealed_private_key: key.sealed_private_key,
            announced_at: key.announced_at.seconds(),
            jwks_max_age: key.jwks_max_age.get().into(),
            active_since: seconds(key.active_since),
            retiring_since: seconds(key.retiring_since),
            retired_at: seconds(key.retired_at),
            first_version: key.version.get(),
            version: key.version.get(),
        }
    }
}

impl TryFrom<SigningKeyRow> for SigningKeyRecord {
    type Error = StoreError;

    fn try_from(row: SigningKeyRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("signing_keys");
        Ok(Self {
            kid: COLUMNS.text("kid", &row.kid)?,
            environment: COLUMNS.text("environment", &row.environment)?,
            algorithm: COLUMNS.text("algorithm", &row.algorithm)?,
            state: COLUMNS.word("state", &row.state, (&KeyState::ALL, KeyState::as_str))?,
            public_jwk: row.public_jwk,
            sealed_private_key: row.sealed_private_key,
            announced_at: COLUMNS.moment("announced_at", row.announced_at)?,
            jwks_max_age: COLUMNS.duration("jwks_max_age", row.jwks_max_age)?,
            active_since: COLUMNS.optional_moment("active_since", row.active_since)?,
            retiring_since: COLUMNS.optional_moment("retiring_since", row.retiring_since)?,
            retired_at: COLUMNS.optional_moment("retired_at", row.retired_at)?,
            version: Epoch::new(row.version),
        })
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = revoked_tokens)]
pub(in crate::store) struct RevokedTokenRow {
    jti: String,
    client_id: String,
    partner_id: String,
    environment: String,
    expires_at: i64,
}

impl From<RevokedToken> for RevokedTokenRow {
    fn from(token: RevokedToken) -> Self {
        Self {
            jti: token.jti.into(),
            client_id: token.client_id.into(),
            partner_id: token.partner_id.into(),
            environment: token.environment.as_str().to_owned(),
            expires_at: token.expires_at.seconds(),
        }
    }
}

impl TryFrom<RevokedTokenRow> for RevokedToken {
    type Error = StoreError;

    fn try_from(row: RevokedTokenRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("revoked_tokens");
        Ok(Self {
            jti: COLUMNS.text("jti", &row.jti)?,
            client_id: COLUMNS.text("client_id", &row.client_id)?,
            partner_id: COLUMNS.text("partner_id", &row.partner_id)?,
            environment: COLUMNS.text("environment", &row.environment)?,
            expires_at: COLUMNS.moment("expires_at", row.expires_at)?,
        })
    }
}

/// As much of a revoked token as a replica remembers.
#[derive(Queryable, Selectable)]
#[diesel(table_name = revoked_tokens)]
pub(in crate::store) struct RevokedEndRow {
    jti: String,
    expires_at: i64,
}

impl TryFrom<RevokedEndRow> for (TokenId, Timestamp) {
    type Error = StoreError;

    fn try_from(row: RevokedEndRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("revoked_tokens");
        Ok((
            COLUMNS.text("jti", &row.jti)?,
            COLUMNS.moment("expires_at", row.expires_at)?,
        ))
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
pub(in crate::store) struct IdempotencyRow {
    pub(in crate::store) operator_id: String,
    pub(in crate::store) key: String,
    fingerprint: Vec<u8>,
    subject: String,
    created_at: i64,
}

impl From<IdempotencyRecord> for IdempotencyRow {
    fn from(record: IdempotencyRecord) -> Self {
        Self {
            operator_id: record.operator_id.into(),
            key: record.key.into(),
            fingerprint: record.fingerprint.to_vec(),
            subject: record.subject,
            created_at: record.created_at.seconds(),
        }
    }
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = StoreError;

    fn try_from(row: IdempotencyRow) -> Result<Self, StoreError> {
        const COLUMNS: Columns = Columns("idempotency_keys");
        Ok(Self {
            operator_id: COLUMNS.text("operator_id", &row.operator_id)?,
            key: COLUMNS.text("key", &row.key)?,
            fingerprint: COLUMNS.digest("fingerprint", &row.fingerprint)?,
            subject: row.subject,
            created_at: COLUMNS.moment("created_at", row.created_at)?,
        })
    }
}
