-- Who looks for what ends soon reads past what was noticed already, every minute: along the list of secrets by their ends, and beside
-- it along the notices in the same order.
DROP INDEX client_secrets_expiry;
CREATE INDEX client_secrets_expiry ON client_secrets (expires_at, secret_id, status, client_id) WHERE expires_at IS NOT NULL;
DROP INDEX notices_once;
CREATE UNIQUE INDEX notices_once ON notices (kind, days, expires_at, subject);
