-- Return the key of a model in Django's table of content types. Adds the row if it is missing: Django adds it only
-- after the last migration.
CREATE OR REPLACE FUNCTION ivsvod_audit_type(app text, model_name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    type_id integer;
BEGIN
    SELECT id INTO type_id FROM django_content_type WHERE app_label = app AND model = model_name;
    IF type_id IS NULL THEN
        INSERT INTO django_content_type (app_label, model) VALUES (app, model_name) ON CONFLICT DO NOTHING;
        SELECT id INTO type_id FROM django_content_type WHERE app_label = app AND model = model_name;
    END IF;
    RETURN type_id;
END $$;
