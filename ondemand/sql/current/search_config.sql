-- Return the text search configuration of all vectors and queries. `backfill --search` puts the one of SEARCH_CONFIG
-- in its place.
CREATE OR REPLACE FUNCTION ivsvod_search_config() RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT 'pg_catalog.english'::regconfig $$;
