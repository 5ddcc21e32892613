-- Merge one event into its stream, and return the stream. This is the only place where the start and end of a stream
-- are decided, for events and for rows of the predecessor.
-- A real event outranks one that `reconcile` made from what IVS still knew, whichever comes first. Between equals
-- the earliest time counts.
CREATE OR REPLACE FUNCTION ivsvod_merge_stream(
    channel uuid, stream text, moment timestamptz, event text, reconciled boolean
) RETURNS channels_app_stream LANGUAGE plpgsql AS $$
DECLARE
    known channels_app_stream;
    is_start boolean := event IS NOT DISTINCT FROM 'Stream Start';
    is_end boolean := event IS NOT DISTINCT FROM 'Stream End';
BEGIN
    INSERT INTO channels_app_stream (channel_id, stream_id, first_event_at, start_reconciled, end_reconciled)
    VALUES (channel, stream, moment, false, false) ON CONFLICT DO NOTHING;
    SELECT * INTO known FROM channels_app_stream WHERE channel_id = channel AND stream_id = stream FOR UPDATE;
    is_start := is_start AND (known.started_at IS NULL
        OR (reconciled, moment) < (known.start_reconciled, known.started_at));
    is_end := is_end AND (known.ended_at IS NULL OR (reconciled, moment) < (known.end_reconciled, known.ended_at));
    IF NOT (is_start OR is_end OR moment < known.first_event_at) THEN
        RETURN known;
    END IF;
    IF NOT reconciled AND (is_start AND known.start_reconciled OR is_end AND known.end_reconciled) THEN
        -- A real row follows: the trigger on deleted rows shall not take the start or end away.
        PERFORM set_config('ivsvod.replaces_rows', 'true', true);
        DELETE FROM ivs_state_changes WHERE ivs_channel_uuid = channel AND _event_id LIKE 'reconcile:%'
            AND state = CASE WHEN is_start THEN 'live' ELSE 'offline' END AND data ->> 'stream_id' = stream;
        PERFORM set_config('ivsvod.replaces_rows', '', true);
    END IF;
    UPDATE channels_app_stream SET
        first_event_at = least(first_event_at, moment),
        started_at = CASE WHEN is_start THEN moment ELSE started_at END,
        start_reconciled = CASE WHEN is_start THEN reconciled ELSE start_reconciled END,
        ended_at = CASE WHEN is_end THEN moment ELSE ended_at END,
        end_reconciled = CASE WHEN is_end THEN reconciled ELSE end_reconciled END
    WHERE id = known.id RETURNING * INTO known;
    RETURN known;
END $$;
