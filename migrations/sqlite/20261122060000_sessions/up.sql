-- Sessions: that a browser speaks for an operator. Of the secret in its cookie only the keyed digest is kept.
--
-- `token_digest` is the operator's token when the session began; a token that was replaced since ends it. Sessions are written
-- beside the journal: what is done in one stands there under the operator's name.
CREATE TABLE sessions (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    operator_id TEXT NOT NULL REFERENCES operators (operator_id),
    token_digest BLOB NOT NULL CHECK (length(token_digest) = 32),
    source TEXT NOT NULL,
    began_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_operator ON sessions (operator_id, began_at);
CREATE INDEX sessions_age ON sessions (began_at);
