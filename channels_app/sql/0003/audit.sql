-- Write one audit entry for each row that a statement changed, in the transaction of the change. Fired by the
-- `ivsvod_audit_*` triggers of each audited table (`audit_*.sql`).
-- Arguments of the trigger: app and model of the object; the column of its key; the column of its name, or empty;
-- the audited columns with their fields, as JSON; whether the row is a part of the object, so that its changes
-- are entries of the object; the primary key of the table.
-- Reads these columns alone, and only the rows in which they changed: the other columns can be very large. Writes
-- nothing if the way of the actor is `none`, which marks a backfill of derived columns.
CREATE OR REPLACE FUNCTION ivsvod_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor jsonb := ivsvod_audit_actor();
    key text := TG_ARGV[2];
    name text := TG_ARGV[3];
    fields jsonb := TG_ARGV[4];
    is_part boolean := TG_ARGV[5];
    primary_key text := TG_ARGV[6];
    kind smallint := CASE WHEN is_part THEN 1 WHEN TG_OP = 'INSERT' THEN 0 WHEN TG_OP = 'UPDATE' THEN 1 ELSE 2 END;
    columns text := string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = TG_RELID AND NOT attisdropped
            AND (attname IN (key, name, primary_key) OR fields ? attname::text);
    rows text;
BEGIN
    IF actor ->> 'way' = 'none' THEN
        RETURN NULL;
    END IF;
    rows := CASE TG_OP
        WHEN 'INSERT' THEN format(
            'SELECT NULL::jsonb, to_jsonb(after) FROM (SELECT %s FROM new_rows) AS after', columns)
        WHEN 'DELETE' THEN format(
            'SELECT to_jsonb(before), NULL::jsonb FROM (SELECT %s FROM old_rows) AS before', columns)
        ELSE format('SELECT to_jsonb(before), to_jsonb(after) FROM (SELECT %1$s FROM old_rows) AS before
            JOIN (SELECT %1$s FROM new_rows) AS after ON before.%2$I = after.%2$I AND before IS DISTINCT FROM after',
            columns, primary_key)
    END;
    EXECUTE format($query$
        SELECT ivsvod_audit_write($1, $2, row_key, row_name, $3, changes, $4)
        FROM (%s) AS rows (before, after)
        -- A part that moves to another object is an entry of both: removed from the first, added to the second.
        CROSS JOIN LATERAL (
            SELECT coalesce(after, before) ->> $5, coalesce(after, before) ->> $6,
                ivsvod_audit_changes(before, after, $7)
                WHERE before IS NULL OR after IS NULL OR before ->> $5 = after ->> $5
            UNION ALL SELECT before ->> $5, before ->> $6, ivsvod_audit_changes(before, NULL, $7)
                WHERE before ->> $5 <> after ->> $5
            UNION ALL SELECT after ->> $5, after ->> $6, ivsvod_audit_changes(NULL, after, $7)
                WHERE before ->> $5 <> after ->> $5
        ) AS entry (row_key, row_name, changes)
        WHERE changes IS NOT NULL OR $8
    $query$, rows)
    USING TG_ARGV[0], TG_ARGV[1], kind, actor, key, name, fields, TG_OP <> 'UPDATE' AND NOT is_part;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_audit() FROM PUBLIC;
