-- Merge a row of `ivs_state_changes` that this service did not write into its stream. Called by the trigger on that
-- table and by `backfill`.
CREATE OR REPLACE FUNCTION ivsvod_record_state_change(
    row_id bigint, channel uuid, row_time timestamptz, state text, data jsonb
) RETURNS void LANGUAGE sql AS $$
    SELECT ivsvod_merge_stream(
        channel, ivsvod_row_stream(row_id, data), ivsvod_usable_time(row_time), ivsvod_row_event(state, data), false)
$$;
