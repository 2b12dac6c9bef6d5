-- The indexes as they were.

DROP INDEX client_secrets_client;
CREATE INDEX client_secrets_client ON client_secrets (client_id, first_version);
DROP INDEX clients_standing;
