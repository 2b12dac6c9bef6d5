-- Surveys: what an overview counts and looks for, read from indexes alone however many clients there are.

CREATE INDEX clients_standing ON clients (environment, status);

-- Whoever looks for clients with more than one secret reads which have ended from here.
DROP INDEX client_secrets_client;
CREATE INDEX client_secrets_client ON client_secrets (client_id, first_version, status, expires_at);
