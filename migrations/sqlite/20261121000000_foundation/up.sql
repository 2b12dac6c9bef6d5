-- The foundation: everything an installation knows, its journal, and the epoch that orders all changes.
--
-- Why it looks as it does: SQLite and PostgreSQL are twins, so columns are whole numbers, text and bytes, and nothing else;
-- STRICT holds SQLite to that. Times are seconds since 1970 (milliseconds in the journal). Sets of scope tokens and of
-- API ids are one text, separated by single spaces: they are read and written whole. Ids and times are made by the server.
-- `version` is the epoch of the last change, `first_version` that of the first: it gives rows made within one second an order.
-- The journal refers to nothing: it must stay readable whatever becomes of its subjects. Its actions and nouns are not
-- checked here, since both sets grow with the server and the hash chain guards every row.

-- One row. Every commit begins by counting it up, and so waits here for the commit before it.
CREATE TABLE epoch (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    number INTEGER NOT NULL CHECK (number >= 0)
) STRICT;
INSERT INTO epoch (one, number) VALUES (1, 0);

-- One row. A constant sealed under the master key tells at start whether that key is still the one.
CREATE TABLE installation (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    master_key_check BLOB
) STRICT;
INSERT INTO installation (one, master_key_check) VALUES (1, NULL);

CREATE TABLE partners (
    partner_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    scope_ceiling TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    parent TEXT REFERENCES partners (partner_id),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX partners_parent ON partners (parent, partner_id);

CREATE TABLE apis (
    api_id TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('qa', 'production')),
    name TEXT NOT NULL,
    audience TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (environment, api_id)
) STRICT;
CREATE UNIQUE INDEX apis_environment_audience ON apis (environment, audience);

-- A client is a partner's or an API's, never both: the last check says which columns each kind has.
CREATE TABLE clients (
    client_id TEXT NOT NULL PRIMARY KEY,
    environment TEXT NOT NULL CHECK (environment IN ('qa', 'production')),
    kind TEXT NOT NULL CHECK (kind IN ('partner', 'resource_server')),
    partner_id TEXT REFERENCES partners (partner_id),
    access_level TEXT CHECK (access_level IN ('full', 'fine_grained')),
    scope TEXT,
    allowed_apis TEXT,
    api_id TEXT,
    name TEXT NOT NULL,
    contact TEXT NOT NULL,
    token_endpoint_auth_method TEXT NOT NULL
        CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'any')),
    token_lifetime INTEGER,
    expires_at INTEGER,
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    FOREIGN KEY (environment, api_id) REFERENCES apis (environment, api_id),
    CONSTRAINT clients_kind_columns CHECK (
        (kind = 'partner' AND partner_id IS NOT NULL AND access_level IS NOT NULL AND api_id IS NULL
            AND (access_level = 'fine_grained') = (scope IS NOT NULL))
        OR (kind = 'resource_server' AND api_id IS NOT NULL
            AND partner_id IS NULL AND access_level IS NULL AND scope IS NULL AND allowed_apis IS NULL)
    )
) STRICT;
CREATE INDEX clients_partner ON clients (partner_id, client_id);
CREATE INDEX clients_api ON clients (environment, api_id, client_id);
CREATE INDEX clients_status ON clients (status, client_id);

CREATE TABLE client_secrets (
    secret_id TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    note TEXT,
    hint TEXT NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'retired')),
    expires_at INTEGER,
    last_used_at INTEGER,
    first_version INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX client_secrets_client ON client_secrets (client_id, first_version);
CREATE INDEX client_secrets_expiry ON client_secrets (expires_at) WHERE expires_at IS NOT NULL;

-- An address is free again once its operator is revoked.
CREATE TABLE operators (
    operator_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'owner')),
    token_digest BLOB NOT NULL CHECK (length(token_digest) = 32),
    token_hint TEXT NOT NULL,
    token_expires_at INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'revoked')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX operators_token_digest ON operators (token_digest);
CREATE UNIQUE INDEX operators_active_email ON operators (email) WHERE status = 'active';

-- One key signs for an environment, never two: then every replica signs with the same one.
CREATE TABLE signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    environment TEXT NOT NULL CHECK (environment IN ('qa', 'production')),
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    state TEXT NOT NULL CHECK (state IN ('announced', 'active', 'retiring', 'retired', 'revoked')),
    public_jwk TEXT NOT NULL,
    sealed_private_key BLOB NOT NULL,
    announced_at INTEGER NOT NULL,
    jwks_max_age INTEGER NOT NULL,
    active_since INTEGER,
    retiring_since INTEGER,
    retired_at INTEGER,
    first_version INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX signing_keys_environment ON signing_keys (environment, first_version);
CREATE UNIQUE INDEX signing_keys_active_environment ON signing_keys (environment) WHERE state = 'active';

-- Forgotten once the token has expired anyway.
CREATE TABLE revoked_tokens (
    jti TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients (client_id),
    partner_id TEXT NOT NULL REFERENCES partners (partner_id),
    environment TEXT NOT NULL CHECK (environment IN ('qa', 'production')),
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

-- Forgotten after a day.
CREATE TABLE idempotency_keys (
    operator_id TEXT NOT NULL REFERENCES operators (operator_id),
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (operator_id, key)
) STRICT;
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE journal (
    epoch INTEGER NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    noun TEXT NOT NULL,
    subject TEXT NOT NULL,
    partner_id TEXT,
    environment TEXT CHECK (environment IN ('qa', 'production')),
    detail TEXT NOT NULL,
    request_id TEXT,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX journal_partner ON journal (partner_id, epoch);
CREATE INDEX journal_subject ON journal (subject, epoch);
