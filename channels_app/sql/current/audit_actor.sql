-- Return who makes the change, as `audit/actors.py` sets it for the transaction. Nothing is set by another program:
-- the predecessor, or a person with psql. The role of the session is its name.
CREATE OR REPLACE FUNCTION ivsvod_audit_actor() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('ivsvod.actor', true), '')::jsonb,
        jsonb_build_object('way', 'database', 'name', session_user))
$$;
