-- The tables of the ledger. This text is read by PostgreSQL and by SQLite: only what both understand.
-- Times are milliseconds since 1970, ids are UUIDs in text, what is nested is JSON in text.

CREATE TABLE payments (
    id TEXT NOT NULL PRIMARY KEY,
    -- Grows by one with every commit; the compare-and-set of all writers.
    version BIGINT NOT NULL,
    order_id BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    operation TEXT NOT NULL,
    status TEXT NOT NULL,
    -- JSON; secret until the payment is final, then without its single-use token.
    method TEXT NOT NULL,
    return_url TEXT,
    -- What the order said when it was read: absent until then. The amount is in minor units.
    order_amount BIGINT,
    order_currency TEXT,
    customer_id BIGINT,
    offer_id TEXT,
    order_expires_at BIGINT,
    gateway_customer TEXT,
    reference TEXT,
    next_action TEXT,
    decline_class TEXT,
    decline_code TEXT,
    stored_method TEXT,
    published BOOLEAN NOT NULL,
    -- Follows from the status, but for money that was found while another payment held the order.
    holds_order BOOLEAN NOT NULL,
    -- NULL once a withdrawn payment gave it back.
    idempotency_key TEXT,
    -- SHA-256 of the canonical body, hexadecimal.
    body_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX payments_key ON payments (idempotency_key);
CREATE UNIQUE INDEX payments_order_held ON payments (order_id) WHERE holds_order;
CREATE INDEX payments_order ON payments (order_id, created_at, id);
CREATE INDEX payments_reference ON payments (reference, gateway) WHERE reference IS NOT NULL;
CREATE INDEX payments_newest ON payments (created_at, id);
CREATE INDEX payments_status ON payments (status, created_at, id);
CREATE INDEX payments_in_doubt ON payments (created_at) WHERE status = 'in_doubt';
-- For the sweep: few payments are ever in these states at once.
CREATE INDEX payments_open ON payments (updated_at, id)
    WHERE status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending');

CREATE TABLE attempts (
    -- Also the idempotency key that the gateway sees.
    id TEXT NOT NULL PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    number BIGINT NOT NULL,
    stage TEXT NOT NULL,
    path TEXT NOT NULL,
    content_type TEXT NOT NULL,
    -- The exact bytes; empty once the attempt is closed and its payment final.
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    key_expires_at BIGINT NOT NULL,
    -- open, not_done, unknown, answered or void; the cause belongs to not_done and unknown.
    state TEXT NOT NULL,
    cause TEXT,
    UNIQUE (payment_id, number)
);

CREATE TABLE confirmations (
    id TEXT NOT NULL PRIMARY KEY,
    payment_id TEXT NOT NULL REFERENCES payments (id),
    sequence BIGINT NOT NULL,
    report TEXT NOT NULL,
    -- queued, sending, delivered or dead_lettered.
    delivery TEXT NOT NULL,
    sending_since BIGINT,
    cleeng_payment_id BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (payment_id, sequence)
);

CREATE TABLE payment_events (
    payment_id TEXT NOT NULL REFERENCES payments (id),
    -- The payment's version after what happened.
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT,
    -- JSON as the API shows it, when this event changed it.
    view_json TEXT,
    PRIMARY KEY (payment_id, sequence)
);

CREATE TABLE controls (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
