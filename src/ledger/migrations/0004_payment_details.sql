-- Changes of payment details: payments of no order (their order_id is 0, and they hold none). This text is read by PostgreSQL and by
-- SQLite. Nothing looks for them by it.

-- JSON: whose details, and what the new ones are for. It never changes.
ALTER TABLE payments ADD COLUMN details_change TEXT;
