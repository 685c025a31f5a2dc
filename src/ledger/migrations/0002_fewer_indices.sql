-- Every index is written again when a payment changes its status. What identifiers can do (they grow with time), or what is
-- asked seldom of few rows, needs none of its own.

DROP INDEX payments_newest;
DROP INDEX payments_status;
DROP INDEX payments_open;
DROP INDEX payments_order;
CREATE INDEX payments_order ON payments (order_id);
-- What has not settled: few payments at any time. For the sweep, and for an operator's list of such a status.
CREATE INDEX payments_unsettled ON payments (id)
    WHERE status IN ('in_doubt', 'accepted', 'processing', 'requires_action', 'pending', 'failed');
