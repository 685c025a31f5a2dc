-- The same columns as in PostgreSQL, so that the same queries are asked of both. Word by word and not as lists: for a list SQLite
-- makes a table each time that a row is written.
ALTER TABLE payments ADD COLUMN unsettled BOOLEAN GENERATED ALWAYS AS
    (CASE status WHEN 'processing' THEN TRUE WHEN 'accepted' THEN TRUE WHEN 'requires_action' THEN TRUE
        WHEN 'pending' THEN TRUE WHEN 'in_doubt' THEN TRUE WHEN 'failed' THEN TRUE ELSE FALSE END) VIRTUAL;
ALTER TABLE payments ADD COLUMN reserved BOOLEAN GENERATED ALWAYS AS (status = 'authorized') VIRTUAL;
ALTER TABLE payments ADD COLUMN settled_customer BIGINT GENERATED ALWAYS AS
    (CASE status WHEN 'processing' THEN NULL WHEN 'accepted' THEN NULL WHEN 'requires_action' THEN NULL
        WHEN 'pending' THEN NULL WHEN 'in_doubt' THEN NULL WHEN 'failed' THEN NULL ELSE customer_id END) VIRTUAL;
