-- Return the changes between two versions of a row as `{field: [before, after]}`. Returns NULL if no audited field
-- changed.
-- `fields` gives the name of the field for each audited column. A field whose name begins with `!` is secret: `***`
-- stands for its value.
-- In PL/pgSQL, because a session keeps its plans; an SQL function would be planned for each call.
CREATE OR REPLACE FUNCTION ivsvod_audit_changes(old_row jsonb, new_row jsonb, fields jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT jsonb_object_agg(
        ltrim(field.value, '!'),
        CASE WHEN field.value LIKE '!%' THEN jsonb_build_array(
            CASE WHEN coalesce(old_row ->> field.key, '') <> '' THEN '***' END,
            CASE WHEN coalesce(new_row ->> field.key, '') <> '' THEN '***' END)
        ELSE jsonb_build_array(old_row -> field.key, new_row -> field.key) END)
    FROM jsonb_each_text(fields) AS field
    WHERE coalesce(old_row -> field.key, 'null') <> coalesce(new_row -> field.key, 'null'));
END $$;
