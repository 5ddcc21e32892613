-- Return the key of a model in Django's table of content types. Adds the row if Django, which does so after the last
-- migration, has not added it yet.
CREATE OR REPLACE FUNCTION ivsvod_audit_type(app text, model_name text) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found integer;
BEGIN
    SELECT id INTO found FROM django_content_type WHERE app_label = app AND model = model_name;
    IF found IS NULL THEN
        -- Django makes these after the last migration, and then finds this one.
        INSERT INTO django_content_type (app_label, model) VALUES (app, model_name) ON CONFLICT DO NOTHING;
        SELECT id INTO found FROM django_content_type WHERE app_label = app AND model = model_name;
    END IF;
    RETURN found;
END $$;
