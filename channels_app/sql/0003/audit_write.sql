-- Add one entry to the audit log. `kind` is the action of django-auditlog: 0 create, 1 update, 2 delete, 3 access.
-- In PL/pgSQL, because a session keeps its plans; an SQL function would be planned for each call.
CREATE OR REPLACE FUNCTION ivsvod_audit_write(
    app text, model_name text, key text, name text, kind smallint, changes jsonb, actor jsonb
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO channels_app_auditentry
        (content_type_id, object_pk, object_repr, action, changes_text, changes, actor_id, actor_name, way, cid,
         timestamp)
    VALUES (ivsvod_audit_type(app, model_name), key, coalesce(nullif(name, ''), key), kind, '', changes,
        (SELECT uuid FROM accounts_user WHERE uuid = (actor ->> 'account')::uuid),
        coalesce(actor ->> 'name', ''), actor ->> 'way', nullif(actor ->> 'operation', ''), now());
END $$;
