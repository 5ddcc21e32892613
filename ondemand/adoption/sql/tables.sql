WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT relname::text, relkind::text FROM ours ORDER BY relname
