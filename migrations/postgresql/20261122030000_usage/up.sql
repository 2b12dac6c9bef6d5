-- Usage: what became of the requests of each client, by hour, day and month; and from where each secret was last used.
--
-- Every request is counted in the rows of its hour, its day and its month, and in each of them three times: under its client and
-- scope, in the sum of its partner, and in the sum of its environment. So a question by partner reads the rows of partners, and none
-- of their clients'. In a sum, what it is not broken down by is empty. The key is in the order in which lists run. `partner_id` and `scope` are empty where there is none; `scope` is cut to what an
-- index takes by the server. The rows refer to nothing: clients are never deleted, and counting waits for nobody.
CREATE TABLE usage (
    granularity TEXT COLLATE "C" NOT NULL CHECK (granularity IN ('hour', 'day', 'month')),
    broken_down_by TEXT COLLATE "C" NOT NULL CHECK (broken_down_by IN ('environment', 'partner', 'scope')),
    begins BIGINT NOT NULL,
    environment TEXT COLLATE "C" NOT NULL CHECK (environment IN ('qa', 'production')),
    partner_id TEXT COLLATE "C" NOT NULL,
    client_id TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    outcome TEXT COLLATE "C" NOT NULL,
    requests BIGINT NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (granularity, broken_down_by, begins, environment, partner_id, client_id, scope, outcome)
);
CREATE INDEX usage_partner ON usage (partner_id, granularity, broken_down_by, begins, environment, client_id, scope);
CREATE INDEX usage_client ON usage (client_id, granularity, broken_down_by, begins);

-- The last batch of each writer that was added, so that none is added twice.
CREATE TABLE usage_writers (
    writer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX usage_writers_age ON usage_writers (at);

ALTER TABLE client_secrets ADD COLUMN last_used_source TEXT;
