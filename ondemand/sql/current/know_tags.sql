-- Add new tags to the table of known tags, which completes what people type. Fired by each INSERT and UPDATE of
-- `on_demand_video_content`. The order of the tags keeps two writers of new tags from a deadlock.
CREATE OR REPLACE FUNCTION ivsvod_know_tags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO ondemand_knowntag (tag)
    SELECT DISTINCT found.tag FROM new_rows AS content CROSS JOIN LATERAL unnest(content.tags) AS found(tag)
    WHERE found.tag <> ''
        AND NOT EXISTS (SELECT FROM ondemand_knowntag AS known WHERE md5(known.tag) = md5(found.tag))
    ORDER BY found.tag
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_know_tags() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_know_tags_made AFTER INSERT ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_know_tags();

CREATE OR REPLACE TRIGGER ivsvod_know_tags_changed AFTER UPDATE ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_know_tags();
