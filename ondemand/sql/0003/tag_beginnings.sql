-- Return the first 100 characters of each tag, for an index: a key of an index may have 2,700 bytes, and a tag may
-- have any length.
CREATE OR REPLACE FUNCTION ivsvod_tag_beginnings(tags text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT tags::varchar(100)[]::text[] $$;
