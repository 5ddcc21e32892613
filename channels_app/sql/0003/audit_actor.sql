-- Return the actor of the change, as `audit/actors.py` sets it for the transaction. Other programs, such as the
-- predecessor or psql, set none: the way is `database` and the name is the role of the session.
CREATE OR REPLACE FUNCTION ivsvod_audit_actor() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('ivsvod.actor', true), '')::jsonb,
        jsonb_build_object('way', 'database', 'name', session_user))
$$;
