-- Back to an empty database, in the order the references allow. Everything is lost: this serves the tests, which show
-- that up, down, up ends where up ended.

DROP TABLE journal;
DROP TABLE idempotency_keys;
DROP TABLE revoked_tokens;
DROP TABLE signing_keys;
DROP TABLE operators;
DROP TABLE client_secrets;
DROP TABLE clients;
DROP TABLE apis;
DROP TABLE partners;
DROP TABLE installation;
DROP TABLE epoch;
