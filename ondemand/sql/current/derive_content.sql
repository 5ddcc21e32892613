-- Keep the search vector equal to the text. Fired by every INSERT and UPDATE of `on_demand_video_content` by any
-- program.
CREATE OR REPLACE FUNCTION ivsvod_derive_content() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' OR NEW._search IS NULL
        OR (NEW.title, NEW.description, NEW.tags) IS DISTINCT FROM (OLD.title, OLD.description, OLD.tags)
    THEN
        NEW._search := ivsvod_search_vector(NEW.title, NEW.description, coalesce(NEW.tags, '{}'));
    END IF;
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_derive_content() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON on_demand_video_content
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_content();
