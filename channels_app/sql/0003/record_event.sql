-- Record an event: its stream, the history of the stream, and the row of `ivs_state_changes` that the predecessor's
-- clients read for a start or an end. A repetition of an event changes nothing.
-- Returns the live state of the channel as `ivsvod_live_states` has it. `by_first_event` is true if the stream is
-- ordered by its first event, because its start never arrived.
CREATE OR REPLACE FUNCTION ivsvod_record_event(
    channel uuid, stream text, event_time timestamptz, event text, event_key text, detail jsonb, history jsonb,
    OUT last_stream_id text, OUT live_state text, OUT live_since timestamptz, OUT by_first_event boolean
) LANGUAGE plpgsql AS $$
DECLARE
    reconciled boolean := event_key LIKE 'reconcile:%';
    stream_state text := CASE event WHEN 'Stream Start' THEN 'live' WHEN 'Stream End' THEN 'offline' END;
    stream_row channels_app_stream := ivsvod_merge_stream(channel, stream, event_time, event, reconciled);
BEGIN
    IF stream_state IS NOT NULL
        -- A reconciled event gets a row only if the stream uses its time.
        AND (NOT reconciled OR stream_state = 'live' AND stream_row.start_reconciled
            OR stream_state = 'offline' AND stream_row.end_reconciled)
    THEN
        INSERT INTO ivs_state_changes ("timestamp", ivs_channel_uuid, state, data, _event_id)
        SELECT event_time, channel, stream_state, detail, event_key
        WHERE NOT EXISTS (
            SELECT FROM ivs_state_changes
            WHERE ivs_channel_uuid = channel AND "timestamp" = event_time AND _event_id = event_key
        );
    END IF;
    IF history IS NOT NULL AND NOT reconciled THEN
        -- A reconciled time may have the fraction of a second that the real event lacks.
        DELETE FROM channels_app_streamhistoryentry
        WHERE stream_id = stream_row.id AND name = event AND event_id LIKE 'reconcile:%'
            AND at BETWEEN event_time - interval '1 second' AND event_time + interval '1 second';
    END IF;
    IF history IS NOT NULL THEN
        INSERT INTO channels_app_streamhistoryentry (stream_id, event_id, at, name, detail)
        SELECT stream_row.id, event_key, event_time, event, history
        WHERE NOT reconciled OR NOT EXISTS (
            SELECT FROM channels_app_streamhistoryentry
            WHERE stream_id = stream_row.id AND name = event AND event_id NOT LIKE 'reconcile:%'
                AND at BETWEEN event_time - interval '1 second' AND event_time + interval '1 second'
        )
        ON CONFLICT DO NOTHING;
    END IF;
    by_first_event := stream_row.started_at IS NULL AND stream_row.ended_at IS NOT NULL;
    SELECT live.stream_id, live.state, live.since INTO last_stream_id, live_state, live_since
    FROM ivsvod_live_states AS live WHERE live.channel_uuid = channel;
END $$;
