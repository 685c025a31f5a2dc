
-- What belongs to a payment is written in the same statement as the payment: a foreign key only repeats the look-up, and locks
-- the payment's row once more. Attempts and confirmations are found through their payment, never by their own id.
ALTER TABLE attempts DROP CONSTRAINT attempts_payment_id_fkey, DROP CONSTRAINT attempts_pkey;
ALTER TABLE confirmations DROP CONSTRAINT confirmations_payment_id_fkey, DROP CONSTRAINT confirmations_pkey;
ALTER TABLE payment_events DROP CONSTRAINT payment_events_payment_id_fkey;
-- Room in each page for the later versions of its rows: four changes follow within moments of a payment's beginning.
ALTER TABLE payments SET (fillfactor = 50);
ALTER TABLE attempts SET (fillfactor = 50);
ALTER TABLE confirmations SET (fillfactor = 50);
-- Identifiers are compared byte by byte, not by the rules of a language.
ALTER TABLE payments ALTER COLUMN id TYPE TEXT COLLATE "C", ALTER COLUMN idempotency_key TYPE TEXT COLLATE "C",
    ALTER COLUMN reference TYPE TEXT COLLATE "C", ALTER COLUMN gateway TYPE TEXT COLLATE "C",
    ALTER COLUMN status TYPE TEXT COLLATE "C";
ALTER TABLE attempts ALTER COLUMN payment_id TYPE TEXT COLLATE "C";
ALTER TABLE confirmations ALTER COLUMN payment_id TYPE TEXT COLLATE "C";
ALTER TABLE payment_events ALTER COLUMN payment_id TYPE TEXT COLLATE "C";
