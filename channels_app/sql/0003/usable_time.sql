-- Return the time if it is in the years 1900 to 9000, which every client can read; else the beginning of 1970.
-- PostgreSQL holds times from 4713 BC to 294276 AD and both infinities.
CREATE OR REPLACE FUNCTION ivsvod_usable_time(stored_time timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN stored_time BETWEEN '1900-01-01 00:00+00' AND '9000-12-31 23:59:59.999999+00' THEN stored_time
        ELSE '1970-01-01 00:00+00' END
$$;
