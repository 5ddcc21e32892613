-- Return whether a row of `ivs_state_changes`, or a stored event that was applied, records this event of the stream.
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
