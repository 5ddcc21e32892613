SELECT count(*) FILTER (WHERE jsonb_typeof(data) IS DISTINCT FROM 'object'),
    count(*) FILTER (WHERE jsonb_typeof(data) = 'object'
        AND jsonb_typeof(data -> 'event_name') IS DISTINCT FROM 'string'),
    count(*) FILTER (WHERE jsonb_typeof(data) = 'object'
        AND jsonb_typeof(data -> 'stream_id') IS DISTINCT FROM 'string')
FROM ivs_state_changes
