-- Write one audit entry for each row that a statement changed, in the transaction of the change. Fired by the
-- `ivsvod_audit_*` triggers of each audited table (`audit_table.sql`).
-- Arguments of the trigger: app and model of the object; the column of its key; the column of its name, or empty;
-- the audited columns with their fields, as JSON; whether the row is a part of the object, so that its changes
-- are entries of the object; the primary key of the table.
-- Reads these columns alone, and only the rows in which they changed: the other columns can be very large. Writes
-- nothing if the way of the actor is `none`, which marks a backfill of derived columns.
CREATE OR REPLACE FUNCTION ivsvod_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor jsonb;
    key text := TG_ARGV[2];
    name text := TG_ARGV[3];
    fields jsonb := TG_ARGV[4];
    is_part boolean := TG_ARGV[5];
    kind smallint := CASE WHEN is_part OR TG_OP = 'UPDATE' THEN 1 WHEN TG_OP = 'INSERT' THEN 0 ELSE 2 END;
    columns text;
    before jsonb;
    after jsonb;
BEGIN
    -- An upsert fires the triggers of INSERT and of UPDATE, one of them without rows.
    IF TG_OP = 'DELETE' THEN
        PERFORM FROM old_rows LIMIT 1;
    ELSE
        PERFORM FROM new_rows LIMIT 1;
    END IF;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    actor := ivsvod_audit_actor();
    IF actor ->> 'way' = 'none' THEN
        RETURN NULL;
    END IF;
    columns := string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = TG_RELID AND NOT attisdropped
            AND (attname IN (key, name, TG_ARGV[6]) OR fields ? attname::text);
    -- The statement is short because PostgreSQL plans it each time; it keeps the plans of those in the loop.
    FOR before, after IN EXECUTE CASE TG_OP
        WHEN 'INSERT' THEN format('SELECT NULL::jsonb, to_jsonb(after) FROM (SELECT %s FROM new_rows) AS after', columns)
        WHEN 'DELETE' THEN format('SELECT to_jsonb(before), NULL::jsonb FROM (SELECT %s FROM old_rows) AS before', columns)
        ELSE format('SELECT to_jsonb(before), to_jsonb(after) FROM (SELECT %1$s FROM old_rows) AS before
            JOIN (SELECT %1$s FROM new_rows) AS after ON before.%2$I = after.%2$I AND before IS DISTINCT FROM after',
            columns, TG_ARGV[6])
    END LOOP
        PERFORM ivsvod_audit_write(TG_ARGV[0], TG_ARGV[1], row_key, row_name, kind, changes, actor)
        -- A part that moves to another object is an entry of both: removed from the first, added to the second.
        FROM (
            SELECT coalesce(after, before) ->> key, coalesce(after, before) ->> name,
                ivsvod_audit_changes(before, after, fields)
                WHERE before IS NULL OR after IS NULL OR before ->> key = after ->> key
            UNION ALL SELECT before ->> key, before ->> name, ivsvod_audit_changes(before, NULL, fields)
                WHERE before ->> key <> after ->> key
            UNION ALL SELECT after ->> key, after ->> name, ivsvod_audit_changes(NULL, after, fields)
                WHERE before ->> key <> after ->> key
        ) AS entry (row_key, row_name, changes)
        WHERE changes IS NOT NULL OR TG_OP <> 'UPDATE' AND NOT is_part;
    END LOOP;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_audit() FROM PUBLIC;
