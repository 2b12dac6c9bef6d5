-- How many tokens of a quota have been drawn. Replicas draw blocks of them and hand these out from memory, so a row changes once
-- for many tokens.
--
-- `window_start` is the first second of the day or the month. `drawn` counts what replicas hold and have not issued yet, too. The
-- rows refer to nothing: a meter is made when it is first drawn from, and forgotten when its window is past.

CREATE TABLE quota_meters (
    holder_kind TEXT COLLATE "C" NOT NULL CHECK (holder_kind IN ('partner', 'client')),
    holder_id TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL CHECK (environment IN ('qa', 'production')),
    period TEXT COLLATE "C" NOT NULL CHECK (period IN ('day', 'month')),
    window_start BIGINT NOT NULL,
    drawn BIGINT NOT NULL CHECK (drawn >= 0),
    PRIMARY KEY (holder_kind, holder_id, environment, period, window_start)
);
CREATE INDEX quota_meters_age ON quota_meters (period, window_start, holder_id);
