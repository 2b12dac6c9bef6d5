-- Notices: what operators were told before it happens, and how far the sending of it has come.
--
-- One row for each subject, end and threshold: the unique index is what makes a notice the only one of its kind, whichever
-- replica raises it. `subject` is the id of a secret or of a client, by `kind`, whose set grows with the server and so is not
-- checked here. Like the journal the table refers to nothing. While an attempt to send is under way, `next_attempt_at` is when
-- it counts as lost.
CREATE TABLE notices (
    notice_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL CHECK (environment IN ('qa', 'production')),
    partner_id TEXT COLLATE "C",
    client_id TEXT COLLATE "C" NOT NULL,
    days BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    delivery TEXT COLLATE "C" NOT NULL CHECK (delivery IN ('none', 'waiting', 'delivered', 'given_up')),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    next_attempt_at BIGINT,
    settled_at BIGINT,
    CONSTRAINT notices_delivery_columns CHECK (
        (delivery = 'waiting') = (next_attempt_at IS NOT NULL)
        AND (delivery IN ('delivered', 'given_up')) = (settled_at IS NOT NULL)
    )
);
CREATE UNIQUE INDEX notices_once ON notices (kind, subject, expires_at, days);
CREATE INDEX notices_due ON notices (next_attempt_at) WHERE delivery = 'waiting';
CREATE INDEX notices_partner ON notices (partner_id, notice_id);
CREATE INDEX notices_client ON notices (client_id, notice_id);
CREATE INDEX notices_expiry ON notices (expires_at);

-- Whoever looks for clients that end soon reads them in this order.
CREATE INDEX clients_expiry ON clients (expires_at, client_id) WHERE expires_at IS NOT NULL;
