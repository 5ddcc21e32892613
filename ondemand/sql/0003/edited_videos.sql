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

-- Return the condition of `_edited -> 'parts'` for the videos that show a recording, as `@>` takes it.
CREATE OR REPLACE FUNCTION ivsvod_part_of(bucket text, prefix text) RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT jsonb_build_array(jsonb_build_object('bucket', bucket, 'prefix', prefix))
$$;
