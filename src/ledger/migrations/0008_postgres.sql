
CREATE FUNCTION operator_log_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the operator log is only ever added to';
END
$$;

CREATE TRIGGER operator_log_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON operator_log
    FOR EACH STATEMENT EXECUTE FUNCTION operator_log_is_only_added_to();
