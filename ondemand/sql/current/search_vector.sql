-- Return the weighted search vector of a video's content.
-- A vector of more than 1 MB raises an error, so a very long text is searched by its beginning.
-- https://www.postgresql.org/docs/current/textsearch-limitations.html
CREATE OR REPLACE FUNCTION ivsvod_search_vector(title text, description text, tags text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    longest integer := 400000;
BEGIN
    LOOP
        BEGIN
            RETURN setweight(to_tsvector(ivsvod_search_config(), left(coalesce(title, ''), longest / 4)), 'A')
                || setweight(to_tsvector(ivsvod_search_config(), left(array_to_string(tags, ' '), longest / 4)), 'B')
                || setweight(to_tsvector(ivsvod_search_config(), left(coalesce(description, ''), longest / 2)), 'C');
        EXCEPTION WHEN program_limit_exceeded THEN
            longest := longest / 2;
        END;
    END LOOP;
END $$;
