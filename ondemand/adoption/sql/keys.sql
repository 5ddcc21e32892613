WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT relname::text, attname::text, EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid
    AND indkey[0] = attnum AND indnkeyatts = 1 AND indisunique AND indisvalid AND indpred IS NULL)
FROM ours JOIN pg_attribute ON attrelid = ours.oid WHERE attnum > 0 AND NOT attisdropped
ORDER BY relname, attnum
