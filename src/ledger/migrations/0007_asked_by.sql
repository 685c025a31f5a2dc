-- Whose token asked for a payment. NULL: a server did, or a demand of Cleeng's; so it is with all payments from before. It never
-- changes. This text is read by PostgreSQL and by SQLite. Nothing looks for payments by it.
--
-- A customer's idempotency key is kept behind the customer's number and a space, which no key can hold: it is nobody else's.

ALTER TABLE payments ADD COLUMN asked_by BIGINT;
