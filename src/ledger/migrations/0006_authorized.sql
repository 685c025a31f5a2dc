-- What is only reserved, for reconciliation: it is held against the gateway whatever its age. A payment that takes its money at once
-- is never in it. This text is read by PostgreSQL and by SQLite.
CREATE INDEX payments_authorized ON payments (id) WHERE status = 'authorized';
