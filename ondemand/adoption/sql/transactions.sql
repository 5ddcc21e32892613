SELECT pid, coalesce(state, 'background'), clock_timestamp() - xact_start FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND xact_start < clock_timestamp() - make_interval(secs => %(long)s)
ORDER BY xact_start
