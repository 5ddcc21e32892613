-- Keep the index of videos. Fired by every INSERT, UPDATE, DELETE and TRUNCATE of `on_demand_videos` by any
-- program.
CREATE OR REPLACE FUNCTION ivsvod_index_of_videos() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    uuids uuid[];
    removed uuid[];
    is_text boolean;
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- In the order in which others lock them.
        PERFORM FROM ondemand_videoindex WHERE video_id IN (SELECT uuid FROM old_rows) ORDER BY video_id FOR UPDATE;
        DELETE FROM ondemand_videoindex WHERE video_id IN (SELECT uuid FROM old_rows);
    ELSIF TG_OP = 'TRUNCATE' THEN
        DELETE FROM ondemand_videoindex;
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(uuid) INTO uuids FROM new_rows;
        PERFORM ivsvod_index_videos(uuids, true) WHERE uuids IS NOT NULL;
    ELSE
        -- The name of the channel and the titles of chapters are searched with the video.
        SELECT array_agg(after.uuid),
            bool_or((after.ivs_channel_uuid, after._chapters) IS DISTINCT FROM (before.ivs_channel_uuid, before._chapters)),
            -- Somebody gave the video another uuid.
            array_agg(before.uuid) FILTER (WHERE after.uuid IS NULL)
        INTO uuids, is_text, removed
        FROM new_rows AS after FULL JOIN old_rows AS before ON after.uuid = before.uuid
        WHERE (after.uuid, after.ivs_channel_uuid, after._status, after.active, after._held, after._duplicate_of,
                after._part_of, after._edited -> 'duration_ms', after._visibility, after._publish_from,
                after._publish_until, after._started_at, after._duration_ms, after._metadata, after._chapters)
            IS DISTINCT FROM (before.uuid, before.ivs_channel_uuid, before._status, before.active, before._held,
                before._duplicate_of, before._part_of, before._edited -> 'duration_ms', before._visibility,
                before._publish_from, before._publish_until, before._started_at, before._duration_ms, before._metadata,
                before._chapters);
        uuids := array_remove(uuids, NULL);
        PERFORM ivsvod_index_videos(uuids, is_text) WHERE uuids <> '{}';
        IF removed IS NOT NULL THEN
            DELETE FROM ondemand_videoindex WHERE video_id = ANY (removed);
        END IF;
    END IF;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_index_of_videos() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_index_inserted AFTER INSERT ON on_demand_videos
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_videos();

CREATE OR REPLACE TRIGGER ivsvod_index_updated AFTER UPDATE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_index_of_videos();

CREATE OR REPLACE TRIGGER ivsvod_index_deleted AFTER DELETE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_videos();

CREATE OR REPLACE TRIGGER ivsvod_index_truncated AFTER TRUNCATE ON on_demand_videos
    FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_videos();
