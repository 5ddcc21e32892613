-- Make the triggers that write changes of a table to the audit log, by any program; the arguments are explained in
-- `audit.sql`. Called once for each table, with all fields that are audited.
CREATE OR REPLACE FUNCTION ivsvod_audit_table(
    audited regclass, id_column text, app text, model_name text, key_column text, name_column text, fields jsonb,
    is_part boolean DEFAULT false, is_deletion boolean DEFAULT true
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    event record;
BEGIN
    FOR event IN
        SELECT * FROM (VALUES
            ('insert', 'NEW TABLE AS new_rows'),
            ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
            ('delete', 'OLD TABLE AS old_rows')
        ) AS event (name, tables) WHERE is_deletion OR name <> 'delete'
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER ivsvod_audit_%1$s AFTER %1$s ON %2$s REFERENCING %3$s
            FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_audit(%4$L, %5$L, %6$L, %7$L, %8$L, %9$L, %10$L)',
            event.name, audited, event.tables, app, model_name, key_column, name_column, fields, is_part, id_column);
    END LOOP;
END $$;
