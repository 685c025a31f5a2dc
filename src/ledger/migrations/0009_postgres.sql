-- A status is in no index any more. While PostgreSQL sees no column of an index change it leaves all of a row's indices as they
-- are, and a checkout changes its status twice within moments: what the indices ask of it are columns of their own, which change
-- once, when the payment settles.
ALTER TABLE payments
    ADD COLUMN unsettled BOOLEAN GENERATED ALWAYS AS
        (status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending', 'failed')) STORED,
    ADD COLUMN reserved BOOLEAN GENERATED ALWAYS AS (status = 'authorized') STORED,
    -- Until it settles a payment is found among the few that have not.
    ADD COLUMN settled_customer BIGINT GENERATED ALWAYS AS
        (CASE WHEN status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending', 'failed')
            THEN NULL ELSE customer_id END) STORED;
