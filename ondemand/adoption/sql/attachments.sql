WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT 'publication', pubname::text, tablename::text FROM pg_publication_tables
    JOIN pg_namespace ON nspname = schemaname
    JOIN ours ON relname = tablename AND relnamespace = pg_namespace.oid
UNION ALL SELECT 'trigger', tgname::text, relname::text FROM ours JOIN pg_trigger ON tgrelid = ours.oid
    WHERE NOT tgisinternal AND tgname NOT LIKE 'ivsvod\_%%'
UNION ALL SELECT 'rule', rulename::text, relname::text FROM ours JOIN pg_rewrite ON ev_class = ours.oid
UNION ALL SELECT 'row security', 'policies', relname::text FROM ours JOIN pg_class USING (oid, relname)
    WHERE relrowsecurity
UNION ALL SELECT 'event trigger', evtname::text, 'every table' FROM pg_event_trigger WHERE evtenabled <> 'D'
UNION ALL SELECT 'replication slot', slot_name::text, 'this database' FROM pg_replication_slots
    WHERE database = current_database()
ORDER BY 1, 2, 3
