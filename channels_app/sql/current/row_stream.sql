-- Return the stream id that a row of `ivs_state_changes` names. A row without a usable stream id gets a
-- separate stream, `row-<id>`.
CREATE OR REPLACE FUNCTION ivsvod_row_stream(row_id bigint, data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(name) BETWEEN 1 AND 200 THEN name ELSE 'row-' || row_id END
    FROM (SELECT ivsvod_json_text(data, 'stream_id') AS name) AS stream
$$;
