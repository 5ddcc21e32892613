-- Update the streams when rows of `ivs_state_changes` are deleted. Fired by each DELETE, such as those of the
-- predecessor's cleaning jobs.
-- A start or an end is recorded by a row or by a stored event that was applied. If neither is left,
-- - the start of a stream without an end is removed: the channel is no longer live because of it;
-- - the end of the last stream of a channel is removed while its start is still recorded: the channel is live again;
-- - a stream whose start and end are both no longer recorded keeps both, so that deleting old rows removes no history;
-- - a stream that was made from one row without a stream id is deleted with its row.
CREATE OR REPLACE FUNCTION ivsvod_state_changes_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    affected_ids bigint[];
BEGIN
    IF current_setting('ivsvod.replaces_rows', true) = 'true' THEN
        RETURN NULL;
    END IF;
    -- Of the streams that have ended only the last of a channel decides its live state.
    SELECT array_agg(stream.id) INTO affected_ids
    FROM (
        SELECT DISTINCT ivs_channel_uuid AS channel_id, ivsvod_row_stream(_id, data) AS stream_id FROM old_rows
    ) AS deleted
    JOIN channels_app_stream AS stream USING (channel_id, stream_id)
    WHERE stream.ended_at IS NULL OR stream.stream_id LIKE 'row-%'
        OR stream.stream_id = (
            SELECT live.stream_id FROM ivsvod_live_states AS live WHERE live.channel_uuid = channel_id);
    IF affected_ids IS NULL THEN
        RETURN NULL;
    END IF;
    WITH recorded AS (
        SELECT id, ivsvod_is_recorded(stream, 'Stream Start') AS has_start,
            ivsvod_is_recorded(stream, 'Stream End') AS has_end
        FROM channels_app_stream AS stream WHERE id = ANY(affected_ids)
    )
    UPDATE channels_app_stream AS stream SET
        started_at = CASE WHEN has_start OR stream.ended_at IS NOT NULL THEN stream.started_at END,
        ended_at = CASE WHEN has_end OR stream.started_at IS NOT NULL AND NOT has_start THEN stream.ended_at END,
        compared_at = NULL
    FROM recorded WHERE recorded.id = stream.id;
    DELETE FROM channels_app_stream AS stream
    WHERE id = ANY(affected_ids) AND started_at IS NULL AND ended_at IS NULL
        AND NOT EXISTS (SELECT FROM channels_app_streamhistoryentry AS entry WHERE entry.stream_id = stream.id)
        AND NOT EXISTS (
            SELECT FROM channels_app_inboxevent AS stored JOIN ivs_channels AS channel
                ON channel.arn = stored.channel_arn
            WHERE channel.uuid = stream.channel_id AND stored.stream_id = stream.stream_id AND stored.stream_id <> ''
        );
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_state_changes_deleted() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_deleted AFTER DELETE ON ivs_state_changes
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_state_changes_deleted();
