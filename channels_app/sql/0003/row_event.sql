-- Return the name of the event that a row of `ivs_state_changes` records: `data.event_name`, else the
-- event of its `state`.
CREATE OR REPLACE FUNCTION ivsvod_row_event(state text, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(ivsvod_json_text(data, 'event_name'),
        CASE state WHEN 'live' THEN 'Stream Start' WHEN 'offline' THEN 'Stream End' END)
$$;
