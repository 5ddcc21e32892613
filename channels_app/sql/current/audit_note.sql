-- Add an audit entry for an action that changed no row: an update if `changes` has the changes made elsewhere, such as
-- in Amazon IVS; the action `access` if it is NULL, because a secret was shown.
CREATE OR REPLACE FUNCTION ivsvod_audit_note(app text, model_name text, key text, name text, changes jsonb)
RETURNS void LANGUAGE sql AS $$
    SELECT ivsvod_audit_write(app, model_name, key, nullif(name, ''),
        CASE WHEN changes IS NULL THEN 3 ELSE 1 END::smallint, changes, ivsvod_audit_actor())
$$;
