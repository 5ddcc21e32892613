-- The live state of each channel, `live` or `offline`, the time since when, and the stream that decides it: the last
-- one that has a start or an end, NULL if the channel never streamed. The model `ChannelLiveState` reads it.
-- A deleted channel is offline even if the end of its last stream never arrived; `since` is NULL then.
CREATE OR REPLACE VIEW ivsvod_live_states AS
    SELECT channel.uuid AS channel_uuid, last.stream_id,
        CASE WHEN last.started_at IS NOT NULL AND last.ended_at IS NULL AND channel._status IS DISTINCT FROM 'deleted'
            THEN 'live' ELSE 'offline' END AS state,
        CASE
            WHEN last.stream_id IS NULL THEN channel.created_at
            WHEN last.ended_at IS NOT NULL THEN last.ended_at
            WHEN channel._status IS DISTINCT FROM 'deleted' THEN last.started_at
        END AS since
    FROM ivs_channels AS channel LEFT JOIN LATERAL (
        SELECT stream.stream_id, stream.started_at, stream.ended_at FROM channels_app_stream AS stream
        WHERE stream.channel_id = channel.uuid AND (stream.started_at IS NOT NULL OR stream.ended_at IS NOT NULL)
        ORDER BY stream.order_at DESC, stream.stream_id DESC LIMIT 1
    ) AS last ON true;
