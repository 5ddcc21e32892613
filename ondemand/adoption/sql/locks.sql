WITH ours AS (
    SELECT oid, relname, relnamespace, relkind, relowner FROM pg_class
    WHERE oid IN (SELECT to_regclass(name) FROM unnest(%(tables)s::text[]) AS name)
)
SELECT held.pid, relname::text, held.mode, clock_timestamp() - activity.xact_start
FROM ours JOIN pg_locks AS held ON held.locktype = 'relation' AND held.relation = ours.oid AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
WHERE held.pid IS DISTINCT FROM pg_backend_pid()
    -- It gives way to others that wait for its lock.
    AND activity.backend_type IS DISTINCT FROM 'autovacuum worker'
    AND (held.mode <> 'AccessShareLock' OR activity.xact_start IS NULL
        OR activity.xact_start < clock_timestamp() - interval '5 seconds')
ORDER BY relname, held.pid, held.mode
