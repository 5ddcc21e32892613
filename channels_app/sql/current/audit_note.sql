-- Add an entry for an action that changed no row. With changes it was done elsewhere, such as in Amazon IVS. Without
-- changes a secret was shown (the action `access`).
CREATE OR REPLACE FUNCTION ivsvod_audit_note(app text, model_name text, key text, name text, changes jsonb)
RETURNS void LANGUAGE sql AS $$
    SELECT ivsvod_audit_write(app, model_name, key, nullif(name, ''),
        CASE WHEN changes IS NULL THEN 3 ELSE 1 END::smallint, changes, ivsvod_audit_actor())
$$;
