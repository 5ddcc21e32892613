-- Record an event: its stream, the history of the stream, and the row of `ivs_state_changes` that the predecessor's
-- clients read for a start or an end. Called once for each stored event.
-- Returns the live state of the channel as `ivsvod_live_states` has it; `by_first_event` is true if the stream of this event is ordered by its first event, because its start is not
-- known.
CREATE OR REPLACE FUNCTION ivsvod_hear_event(
    channel uuid, stream text, moment timestamptz, event text, event_key text, detail jsonb, history jsonb,
    OUT last_stream_id text, OUT live_state text, OUT live_since timestamptz, OUT by_first_event boolean
) LANGUAGE plpgsql AS $$
DECLARE
    reconciled boolean := event_key LIKE 'reconcile:%';
    told text := CASE event WHEN 'Stream Start' THEN 'live' WHEN 'Stream End' THEN 'offline' END;
    known channels_app_stream := ivsvod_merge_stream(channel, stream, moment, event, reconciled);
BEGIN
    IF told IS NOT NULL
        -- Of one that reconcile made only what the stream goes by.
        AND (NOT reconciled OR told = 'live' AND known.start_reconciled OR told = 'offline' AND known.end_reconciled)
    THEN
        INSERT INTO ivs_state_changes ("timestamp", ivs_channel_uuid, state, data, _event_id)
        SELECT moment, channel, told, detail, event_key
        WHERE NOT EXISTS (
            SELECT FROM ivs_state_changes
            WHERE ivs_channel_uuid = channel AND "timestamp" = moment AND _event_id = event_key
        );
    END IF;
    IF history IS NOT NULL AND NOT reconciled THEN
        -- IVS may have told reconcile the fraction of a second that an event leaves out.
        DELETE FROM channels_app_streamhistoryentry
        WHERE stream_id = known.id AND name = event AND event_id LIKE 'reconcile:%'
            AND at BETWEEN moment - interval '1 second' AND moment + interval '1 second';
    END IF;
    IF history IS NOT NULL THEN
        INSERT INTO channels_app_streamhistoryentry (stream_id, event_id, at, name, detail)
        SELECT known.id, event_key, moment, event, history
        WHERE NOT reconciled OR NOT EXISTS (
            SELECT FROM channels_app_streamhistoryentry
            WHERE stream_id = known.id AND name = event AND event_id NOT LIKE 'reconcile:%'
                AND at BETWEEN moment - interval '1 second' AND moment + interval '1 second'
        )
        ON CONFLICT DO NOTHING;
    END IF;
    by_first_event := known.started_at IS NULL AND known.ended_at IS NOT NULL;
    SELECT live.stream_id, live.state, live.since INTO last_stream_id, live_state, live_since
    FROM ivsvod_live_states AS live WHERE live.channel_uuid = channel;
END $$;
