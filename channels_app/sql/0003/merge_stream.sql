-- Merge one event into its stream, and return the stream. This is the only place where the start and end of a stream
-- are decided, for events and for rows of the predecessor.
-- A real event outranks a reconciled one, whichever comes first. Between two of the same kind the earliest time
-- counts.
CREATE OR REPLACE FUNCTION ivsvod_merge_stream(
    channel uuid, stream text, event_time timestamptz, event text, reconciled boolean
) RETURNS channels_app_stream LANGUAGE plpgsql AS $$
DECLARE
    stream_row channels_app_stream;
    is_start boolean := event IS NOT DISTINCT FROM 'Stream Start';
    is_end boolean := event IS NOT DISTINCT FROM 'Stream End';
BEGIN
    INSERT INTO channels_app_stream (channel_id, stream_id, first_event_at, start_reconciled, end_reconciled)
    VALUES (channel, stream, event_time, false, false) ON CONFLICT DO NOTHING;
    SELECT * INTO stream_row FROM channels_app_stream WHERE channel_id = channel AND stream_id = stream FOR UPDATE;
    is_start := is_start AND (stream_row.started_at IS NULL
        OR (reconciled, event_time) < (stream_row.start_reconciled, stream_row.started_at));
    is_end := is_end AND (stream_row.ended_at IS NULL
        OR (reconciled, event_time) < (stream_row.end_reconciled, stream_row.ended_at));
    IF NOT (is_start OR is_end OR event_time < stream_row.first_event_at) THEN
        RETURN stream_row;
    END IF;
    IF NOT reconciled AND (is_start AND stream_row.start_reconciled OR is_end AND stream_row.end_reconciled) THEN
        -- A real row follows: the trigger on deleted rows must not remove the start or end.
        PERFORM set_config('ivsvod.replaces_rows', 'true', true);
        DELETE FROM ivs_state_changes WHERE ivs_channel_uuid = channel AND _event_id LIKE 'reconcile:%'
            AND state = CASE WHEN is_start THEN 'live' ELSE 'offline' END AND data ->> 'stream_id' = stream;
        PERFORM set_config('ivsvod.replaces_rows', '', true);
    END IF;
    UPDATE channels_app_stream SET
        first_event_at = least(first_event_at, event_time),
        started_at = CASE WHEN is_start THEN event_time ELSE started_at END,
        start_reconciled = CASE WHEN is_start THEN reconciled ELSE start_reconciled END,
        ended_at = CASE WHEN is_end THEN event_time ELSE ended_at END,
        end_reconciled = CASE WHEN is_end THEN reconciled ELSE end_reconciled END
    WHERE id = stream_row.id RETURNING * INTO stream_row;
    RETURN stream_row;
END $$;
