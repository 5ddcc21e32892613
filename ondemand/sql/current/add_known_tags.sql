-- Add new tags to the table of known tags, for suggestions. Fired by each INSERT and UPDATE of
-- `on_demand_video_content`. The order of the tags keeps two writers of new tags from a deadlock.
CREATE OR REPLACE FUNCTION ivsvod_add_known_tags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ondemand_knowntag (tag)
    SELECT DISTINCT found.tag FROM new_rows AS content CROSS JOIN LATERAL unnest(content.tags) AS found(tag)
    WHERE found.tag <> ''
        AND NOT EXISTS (SELECT FROM ondemand_knowntag AS existing WHERE md5(existing.tag) = md5(found.tag))
    ORDER BY found.tag
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_add_known_tags() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_known_tags_inserted AFTER INSERT ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_add_known_tags();

CREATE OR REPLACE TRIGGER ivsvod_known_tags_updated AFTER UPDATE ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_add_known_tags();
