-- Return the ids of the streams of a recording: a list, or the single `stream_id` that older documents have.
CREATE OR REPLACE FUNCTION ivsvod_stream_ids(document jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found text[];
BEGIN
    IF jsonb_typeof(document -> 'recording_session_stream_ids') = 'array' THEN
        SELECT array_agg(value #>> '{}' ORDER BY ordinality) INTO found
        FROM jsonb_array_elements(document -> 'recording_session_stream_ids') WITH ORDINALITY
        WHERE jsonb_typeof(value) = 'string';
    END IF;
    RETURN coalesce(found, array_remove(ARRAY[ivsvod_json_text(document, 'stream_id')], NULL));
END $$;
