
DROP INDEX payments_in_doubt;
DROP INDEX payments_unsettled;
DROP INDEX payments_authorized;
DROP INDEX payments_details_held;
DROP INDEX payments_customer;
-- For the sweep, for reconciliation, and for an operator's list: few payments at any time.
CREATE INDEX payments_unsettled ON payments (id) WHERE unsettled;
-- What is only reserved is held against the gateway whatever its age.
CREATE INDEX payments_reserved ON payments (id) WHERE reserved;
-- What may have to be given up when a stored method is.
CREATE INDEX payments_details_held ON payments (payment_details_id, id)
    WHERE payment_details_id IS NOT NULL AND (unsettled OR reserved);
CREATE INDEX payments_customer ON payments (settled_customer, id) WHERE settled_customer IS NOT NULL;
