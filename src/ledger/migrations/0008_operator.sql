-- What an operator needs: who did what and why, which processes there are, and the ways in which payments are searched. This text
-- is read by PostgreSQL and by SQLite; how the log is kept from being changed is written for each of them apart.

-- What operators did by hand. Rows are only ever added.
CREATE TABLE operator_log (
    -- A UUIDv7: the log is read in the order of these.
    id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    -- replay, discard, pause, resume, resolve or failed.
    deed TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    because TEXT NOT NULL,
    -- command or console.
    via TEXT NOT NULL,
    subject TEXT NOT NULL,
    payment_id TEXT
);

CREATE INDEX operator_log_payment ON operator_log (payment_id, id) WHERE payment_id IS NOT NULL;

-- What each process told of itself last; one row for each run of a process, and not many of them.
CREATE TABLE processes (
    id TEXT NOT NULL PRIMARY KEY,
    seen_at BIGINT NOT NULL,
    -- JSON: roles, version, what it holds back, what it counted minute by minute.
    told TEXT NOT NULL
);

-- An operator is told a customer's number.
CREATE INDEX payments_customer ON payments (customer_id, id) WHERE customer_id IS NOT NULL;
-- What was asked for about a payment.
CREATE INDEX demands_payment ON demands (payment_id, received_at) WHERE payment_id IS NOT NULL;
