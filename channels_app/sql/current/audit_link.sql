-- Write the audit log of a table that links an object to another one, such as an account to a group: a change of the
-- object. Fired by the `ivsvod_audit` triggers of these tables.
-- Arguments of the trigger: app and model of the object; its table, the columns of its key and of its name; the
-- column of the link that holds the key; the field; the table of the other object, the column of its name, and the
-- column of the link that leads to it.
CREATE OR REPLACE FUNCTION ivsvod_audit_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor jsonb := ivsvod_audit_actor();
    link jsonb := CASE TG_OP WHEN 'INSERT' THEN to_jsonb(NEW) ELSE to_jsonb(OLD) END;
    key text := link ->> TG_ARGV[5];
    name text;
    linked_name text;
BEGIN
    EXECUTE format('SELECT %I FROM %I WHERE %I::text = $1', TG_ARGV[4], TG_ARGV[2], TG_ARGV[3]) INTO name USING key;
    EXECUTE format('SELECT %I FROM %I WHERE id::text = $1', TG_ARGV[8], TG_ARGV[7])
        INTO linked_name USING link ->> TG_ARGV[9];
    PERFORM ivsvod_audit_write(TG_ARGV[0], TG_ARGV[1], key, name, 1::smallint, jsonb_build_object(TG_ARGV[6],
        CASE TG_OP WHEN 'INSERT' THEN jsonb_build_array(NULL, linked_name)
        ELSE jsonb_build_array(linked_name, NULL) END), actor);
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_audit_link() FROM PUBLIC;
