-- What Cleeng demands: renewals, and money that goes back. This text is read by PostgreSQL and by SQLite. A checkout has none of
-- it: its rows are in none of these indices.

-- What a renewal pays for; all or nothing of it, and it never changes.
ALTER TABLE payments ADD COLUMN subscription_id BIGINT;
-- The end of the cycle before: with the subscription it names the cycle.
ALTER TABLE payments ADD COLUMN due_at BIGINT;
ALTER TABLE payments ADD COLUMN payment_details_id BIGINT;
-- reserve or at_once.
ALTER TABLE payments ADD COLUMN renewal_take TEXT;

-- A cycle of a subscription is paid once, as an order is.
CREATE UNIQUE INDEX payments_cycle_held ON payments (subscription_id, due_at)
    WHERE holds_order AND subscription_id IS NOT NULL;
CREATE INDEX payments_subscription ON payments (subscription_id, id) WHERE subscription_id IS NOT NULL;
-- What may have to be given up when a stored method is.
CREATE INDEX payments_details_held ON payments (payment_details_id, id) WHERE payment_details_id IS NOT NULL
    AND status IN ('accepted', 'processing', 'requires_action', 'pending', 'in_doubt', 'authorized');

-- Refunds and chargebacks, beside their payment.
CREATE TABLE money_back (
    id TEXT NOT NULL PRIMARY KEY,
    payment_id TEXT NOT NULL,
    -- refund, foreign_refund or chargeback.
    kind TEXT NOT NULL,
    -- In minor units.
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- wanted, pending, done, failed or reversed.
    state TEXT NOT NULL,
    -- The gateway's own id, once it is known.
    reference TEXT,
    reason TEXT NOT NULL,
    cleeng_payment_id BIGINT,
    -- The number of the attempt that asks the gateway for it, within the payment.
    attempt BIGINT,
    -- The sequence of the confirmation that tells Cleeng, within the payment.
    told BIGINT,
    created_at BIGINT NOT NULL
);

CREATE INDEX money_back_payment ON money_back (payment_id);

CREATE TABLE demands (
    -- Follows from what is demanded: a repetition has the same.
    id TEXT NOT NULL PRIMARY KEY,
    -- In whose billing queue it is; NULL when no gateway can do it.
    gateway TEXT,
    topic TEXT NOT NULL,
    -- JSON; secret until the demand is done, then without its token.
    asked TEXT NOT NULL,
    -- open, done or kept.
    state TEXT NOT NULL,
    outcome TEXT,
    payment_id TEXT,
    received_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE INDEX demands_newest ON demands (received_at, id);
-- What is not done: few at any time.
CREATE INDEX demands_unsettled ON demands (state, received_at, id) WHERE state IN ('open', 'kept');
