-- The same columns as in PostgreSQL, so that the same queries are asked of both.
ALTER TABLE payments ADD COLUMN unsettled BOOLEAN GENERATED ALWAYS AS
    (status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending', 'failed')) VIRTUAL;
ALTER TABLE payments ADD COLUMN reserved BOOLEAN GENERATED ALWAYS AS (status = 'authorized') VIRTUAL;
ALTER TABLE payments ADD COLUMN settled_customer BIGINT GENERATED ALWAYS AS
    (CASE WHEN status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending', 'failed')
        THEN NULL ELSE customer_id END) VIRTUAL;
