
CREATE TRIGGER operator_log_keeps_rows BEFORE DELETE ON operator_log
BEGIN
    SELECT RAISE(ABORT, 'the operator log is only ever added to');
END;

CREATE TRIGGER operator_log_keeps_words BEFORE UPDATE ON operator_log
BEGIN
    SELECT RAISE(ABORT, 'the operator log is only ever added to');
END;
