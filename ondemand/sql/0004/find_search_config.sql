-- Return the quoted name, with its schema, of the text search configuration `name`.
SELECT format('%%I.%%I', nspname, cfgname) FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
WHERE pg_ts_config.oid = (
    SELECT coalesce(
        (SELECT oid FROM pg_ts_config WHERE cfgname = %(name)s AND pg_ts_config_is_visible(oid)),
        (SELECT pg_ts_config.oid FROM pg_ts_config JOIN pg_namespace ON pg_namespace.oid = cfgnamespace
         WHERE nspname || '.' || cfgname = %(name)s)
    )
)
