WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT relname::text, attname::text, format_type(atttypid, NULL), attnotnull,
    atthasdef OR attidentity <> '' OR attgenerated <> ''
FROM ours JOIN pg_attribute ON attrelid = ours.oid WHERE attnum > 0 AND NOT attisdropped
ORDER BY relname, attnum
