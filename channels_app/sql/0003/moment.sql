-- Return a time that every client can read: PostgreSQL holds times from 4713 BC to 294276 AD and both infinities.
-- Any time outside 1900 to 9000 becomes the beginning of 1970.
CREATE OR REPLACE FUNCTION ivsvod_moment(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment BETWEEN '1900-01-01 00:00+00' AND '9000-01-01 00:00+00' THEN moment
        ELSE '1970-01-01 00:00+00' END
$$;
