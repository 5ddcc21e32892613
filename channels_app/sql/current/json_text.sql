-- Return the text at a path of a JSON document. Returns NULL if there is none, or if the value is not a string.
CREATE OR REPLACE FUNCTION ivsvod_json_text(document jsonb, VARIADIC path text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(document #> path) = 'string' THEN document #>> path END
$$;
