WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT current_user::text, coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
    coalesce(current_schema()::text, '(none)'),
    (SELECT coalesce(array_agg(ARRAY[relname::text, pg_get_userbyid(relowner)::text] ORDER BY relname), '{}')
        FROM ours WHERE NOT pg_has_role(relowner, 'USAGE'))
