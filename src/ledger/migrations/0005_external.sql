-- What a gateway bills itself. Its events lie among the demands; these columns are empty for what Cleeng demands. This text is
-- read by PostgreSQL and by SQLite.

-- The gateway's own id of its subscription.
ALTER TABLE demands ADD COLUMN external_id TEXT;
-- When the gateway says it happened: the events of one subscription are done in this order.
ALTER TABLE demands ADD COLUMN happened_at BIGINT;
-- JSON: how far Cleeng's record of the event's payment is; NULL before it is sent.
ALTER TABLE demands ADD COLUMN progress TEXT;

CREATE INDEX demands_external_open ON demands (gateway, external_id, happened_at)
    WHERE state = 'open' AND external_id IS NOT NULL;

-- Which access at Cleeng stands for the gateway's subscription.
CREATE TABLE external_subscriptions (
    gateway TEXT NOT NULL,
    external_id TEXT NOT NULL,
    -- subscription or pass.
    kind TEXT NOT NULL,
    cleeng_id BIGINT NOT NULL,
    -- The gateway's id of the payment that it was given or renewed for last.
    last_payment TEXT,
    paid_until BIGINT,
    -- When the gateway ended it.
    ended_at BIGINT,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (gateway, external_id)
);
