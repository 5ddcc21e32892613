-- What an edited video shows: the recordings in `_edited -> 'parts'`, each by its bucket and prefix.

-- Return whether an edited video shows a recording, other than its own, that is played with a grant alone.
CREATE OR REPLACE FUNCTION ivsvod_shows_granted(edited jsonb, own_bucket text, own_prefix text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT EXISTS (
        SELECT FROM jsonb_to_recordset(edited -> 'parts') AS part(bucket text, prefix text)
        JOIN on_demand_videos AS video ON video._bucket = part.bucket AND video._prefix = part.prefix
        WHERE video._playback IS DISTINCT FROM 'public' AND (part.bucket, part.prefix) <> (own_bucket, own_prefix)
    )
$$;

-- Return whether `_edit` and `_edited` have the shape that `ondemand/playback/edit_services.py` writes. A video without `_edited`
-- shows a recording that was deleted.
CREATE OR REPLACE FUNCTION ivsvod_usable_edit(edit jsonb, edited jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN jsonb_typeof(edit) = 'array' AND jsonb_array_length(edit) > 0
        AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(edit) AS part
            WHERE (part ->> 'recording' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                AND (part -> 'start_ms')::text ~ '^([0-9]{1,12}|null)$'
                AND (part -> 'end_ms')::text ~ '^([0-9]{1,12}|null)$') IS NOT TRUE
        )
        AND (edited IS NULL OR (
            (edited -> 'duration_ms')::text ~ '^[0-9]{1,12}$'
            AND jsonb_typeof(edited -> 'parts') = 'array' AND jsonb_array_length(edited -> 'parts') > 0
            AND jsonb_typeof(edited -> 'pictures') = 'array' AND jsonb_typeof(edited -> 'renditions') = 'array'
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(edited -> 'parts') AS part
                WHERE (jsonb_typeof(part -> 'bucket') = 'string' AND jsonb_typeof(part -> 'prefix') = 'string'
                    AND jsonb_typeof(part -> 'playlist') = 'string'
                    AND (part -> 'start_ms')::text ~ '^[0-9]{1,12}$' AND (part -> 'end_ms')::text ~ '^[0-9]{1,12}$'
                    AND (part -> 'at_ms')::text ~ '^[0-9]{1,12}$') IS NOT TRUE
            )
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(edited -> 'pictures') AS picture
                WHERE ((picture ->> 0)::integer < jsonb_array_length(edited -> 'parts')
                    AND (picture -> 0)::text ~ '^[0-9]{1,3}$' AND jsonb_typeof(picture -> 1) = 'string'
                    AND (picture -> 2)::text ~ '^[0-9]{1,12}$') IS NOT TRUE
            )
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(edited -> 'renditions') AS rendition
                WHERE (jsonb_typeof(rendition -> 'path') = 'string' AND jsonb_typeof(rendition -> 'playlist') = 'string'
                    AND rendition ?& '{width,height}') IS NOT TRUE
            )
            AND NOT EXISTS (
                SELECT FROM jsonb_array_elements(coalesce(edited -> 'cut_chapters', '[]')) AS chapter
                WHERE ((chapter -> 'at_ms')::text ~ '^[0-9]{1,12}$' AND jsonb_typeof(chapter -> 'title') = 'string')
                    IS NOT TRUE
            )
        ));
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$;

-- Return the condition of `_edited -> 'parts'` for the videos that show a recording, as `@>` takes it.
CREATE OR REPLACE FUNCTION ivsvod_part_of(bucket text, prefix text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_array(jsonb_build_object('bucket', bucket, 'prefix', prefix))
$$;
