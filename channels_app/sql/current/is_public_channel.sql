-- Return whether anyone may know of a channel with these columns: it is active, not private, and made completely.
CREATE OR REPLACE FUNCTION ivsvod_is_public_channel(active boolean, private boolean, status text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT active AND NOT private AND status = 'ready' $$;
