"""What follows when rows of `ivs_state_changes` are deleted: SQL functions and a trigger.

A start or end of a stream is recorded by a row, or by a stored event that is applied. Once neither is left,

- the start of a stream without an end is removed: the channel is not live by it any more;
- the end of the last stream of its channel is removed while its start is still recorded: the channel is live again;
- a stream whose start and end are both gone keeps both, so that jobs which delete old rows take no history;
- a stream that was made of one row without a stream id goes with its row.
"""

from channels_app.derivation import HEAR_STATE_CHANGE_BY_MERGE, pinned

ROWS = """
-- The stream that a row names; without a usable name it is a stream of its own.
CREATE OR REPLACE FUNCTION ivsvod_row_stream(row_id bigint, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(name) BETWEEN 1 AND 200 THEN name ELSE 'row-' || row_id END
    FROM (SELECT ivsvod_json_text(data, 'stream_id') AS name) AS named
$$;

-- The event that a row records, by `data.event_name`, or by `state` where there is none.
CREATE OR REPLACE FUNCTION ivsvod_row_event(state text, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(ivsvod_json_text(data, 'event_name'),
        CASE state WHEN 'live' THEN 'Stream Start' WHEN 'offline' THEN 'Stream End' END)
$$;

CREATE OR REPLACE FUNCTION ivsvod_hear_state_change(
    row_id bigint, channel uuid, moment timestamptz, state text, data jsonb
) RETURNS void LANGUAGE sql AS $$
    SELECT ivsvod_merge_stream(
        channel, ivsvod_row_stream(row_id, data), ivsvod_moment(moment), ivsvod_row_event(state, data), false)
$$;
"""
TRIGGER = """
-- Whether a row or a stored event records this event of the stream.
CREATE OR REPLACE FUNCTION ivsvod_is_recorded(stream channels_app_stream, event text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT stream.stream_id NOT LIKE 'row-%' AND EXISTS (
        SELECT FROM ivs_state_changes AS change WHERE change.ivs_channel_uuid = stream.channel_id
            AND ivsvod_row_stream(change._id, change.data) = stream.stream_id
            AND ivsvod_row_event(change.state, change.data) = event
    ) OR EXISTS (
        SELECT FROM channels_app_inboxevent AS stored JOIN ivs_channels AS channel ON channel.arn = stored.channel_arn
        -- Not empty, or no index of the inbox serves it.
        WHERE channel.uuid = stream.channel_id AND stored.stream_id = stream.stream_id AND stored.stream_id <> ''
            AND stored.name = event AND stored.outcome = 'applied'
    )
$$;

CREATE OR REPLACE FUNCTION ivsvod_state_changes_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched bigint[];
BEGIN
    IF current_setting('ivsvod.replaces_rows', true) = 'true' THEN
        RETURN NULL;
    END IF;
    -- Of the streams that have ended only the last of a channel decides its live state.
    SELECT array_agg(stream.id) INTO touched
    FROM (
        SELECT DISTINCT ivs_channel_uuid AS channel_id, ivsvod_row_stream(_id, data) AS stream_id FROM old_rows
    ) AS gone
    JOIN channels_app_stream AS stream USING (channel_id, stream_id)
    WHERE stream.ended_at IS NULL OR stream.stream_id LIKE 'row-%' OR stream.id = (
        SELECT id FROM channels_app_stream AS each
        WHERE each.channel_id = stream.channel_id AND (started_at IS NOT NULL OR ended_at IS NOT NULL)
        ORDER BY order_at DESC, each.stream_id DESC LIMIT 1
    );
    IF touched IS NULL THEN
        RETURN NULL;
    END IF;
    WITH recorded AS (
        SELECT id, ivsvod_is_recorded(stream, 'Stream Start') AS has_start,
            ivsvod_is_recorded(stream, 'Stream End') AS has_end
        FROM channels_app_stream AS stream WHERE id = ANY(touched)
    )
    UPDATE channels_app_stream AS stream SET
        started_at = CASE WHEN has_start OR stream.ended_at IS NOT NULL THEN stream.started_at END,
        ended_at = CASE WHEN has_end OR stream.started_at IS NOT NULL AND NOT has_start THEN stream.ended_at END,
        compared_at = NULL
    FROM recorded WHERE recorded.id = stream.id;
    DELETE FROM channels_app_stream AS stream
    WHERE id = ANY(touched) AND started_at IS NULL AND ended_at IS NULL
        AND NOT EXISTS (SELECT FROM channels_app_streamhistoryentry AS entry WHERE entry.stream_id = stream.id)
        AND NOT EXISTS (
            SELECT FROM channels_app_inboxevent AS stored JOIN ivs_channels AS channel
                ON channel.arn = stored.channel_arn
            WHERE channel.uuid = stream.channel_id AND stored.stream_id = stream.stream_id AND stored.stream_id <> ''
        );
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ivsvod_deleted AFTER DELETE ON ivs_state_changes
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_state_changes_deleted();
"""
TRIGGER += pinned("ivsvod_state_changes_deleted")
DROP_TRIGGER = """
DROP TRIGGER ivsvod_deleted ON ivs_state_changes;
DROP FUNCTION ivsvod_state_changes_deleted();
DROP FUNCTION ivsvod_is_recorded(channels_app_stream, text);
"""
DROP_ROWS = HEAR_STATE_CHANGE_BY_MERGE
DROP_ROWS += """
DROP FUNCTION ivsvod_row_event(text, jsonb);
DROP FUNCTION ivsvod_row_stream(bigint, jsonb);
"""
