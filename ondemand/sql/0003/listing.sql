-- Return the listing of a video without its publication window: the first rule that it breaks, else `listed`.
-- `ondemand/models/publication.py` explains each; a test compares the two for all values.
CREATE OR REPLACE FUNCTION ivsvod_listing(
    status text, active boolean, held boolean, is_duplicate boolean, visibility text
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN is_duplicate THEN 'duplicate'
        WHEN status = 'failed' THEN 'failed'
        WHEN status = 'recording' THEN 'recording'
        WHEN held IS NOT FALSE THEN 'held'
        WHEN active IS NOT TRUE OR status IS DISTINCT FROM 'available' THEN 'hidden'
        WHEN visibility IS DISTINCT FROM 'public' THEN 'unlisted'
        ELSE 'listed'
    END
$$;
