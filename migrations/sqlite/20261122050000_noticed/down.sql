-- The indexes as they were.

DROP INDEX notices_once;
CREATE UNIQUE INDEX notices_once ON notices (kind, subject, expires_at, days);
DROP INDEX client_secrets_expiry;
CREATE INDEX client_secrets_expiry ON client_secrets (expires_at) WHERE expires_at IS NOT NULL;
