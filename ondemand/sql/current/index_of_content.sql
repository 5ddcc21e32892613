-- Keep the index of videos. Fired by every INSERT, UPDATE, DELETE and TRUNCATE of `on_demand_video_content`
-- by any program.
CREATE OR REPLACE FUNCTION ivsvod_index_of_content() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    uuids uuid[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT array_agg(on_demand_video_uuid) INTO uuids FROM old_rows;
    ELSIF TG_OP = 'TRUNCATE' THEN
        SELECT array_agg(uuid) INTO uuids FROM on_demand_videos;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(on_demand_video_uuid) INTO uuids FROM new_rows;
    ELSE
        -- Content may move to another video.
        SELECT array_agg(after.on_demand_video_uuid) || array_agg(before.on_demand_video_uuid)
            FILTER (WHERE before.on_demand_video_uuid <> after.on_demand_video_uuid)
        INTO uuids
        FROM new_rows AS after JOIN old_rows AS before ON after.uuid = before.uuid
            AND (after.on_demand_video_uuid, after.title, after.description, after.tags)
                IS DISTINCT FROM (before.on_demand_video_uuid, before.title, before.description, before.tags);
    END IF;
    PERFORM ivsvod_index_videos(uuids, true) WHERE uuids IS NOT NULL;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_index_of_content() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_index_inserted AFTER INSERT ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_content();

CREATE OR REPLACE TRIGGER ivsvod_index_updated AFTER UPDATE ON on_demand_video_content
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_index_of_content();

CREATE OR REPLACE TRIGGER ivsvod_index_deleted AFTER DELETE ON on_demand_video_content
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_content();

CREATE OR REPLACE TRIGGER ivsvod_index_truncated AFTER TRUNCATE ON on_demand_video_content
    FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_content();
