-- Return the titles of chapters in one text, for the search; NULL if there are none. Accepts any JSON.
CREATE OR REPLACE FUNCTION ivsvod_chapter_titles(chapters jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN jsonb_typeof(chapters) = 'array' THEN (
        SELECT string_agg(left(chapter ->> 'title', 1000), ' ' ORDER BY number)
        FROM jsonb_array_elements(chapters) WITH ORDINALITY AS item (chapter, number)
        WHERE number <= 100 AND jsonb_typeof(chapter -> 'title') = 'string'
    ) END
$$;

-- Return the chapter whose title has the most words of a query, of equals the first one; NULL if none has any. The
-- other words may be in the title or the description of the video, and excluded words do not count.
CREATE OR REPLACE FUNCTION ivsvod_found_chapter(chapters jsonb, query tsquery) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    config regconfig;
    any_word tsquery;
BEGIN
    IF jsonb_typeof(chapters) IS DISTINCT FROM 'array' OR numnode(query) = 0 OR querytree(query) IN ('', 'T') THEN
        RETURN NULL;
    END IF;
    config := ivsvod_search_config();
    any_word := replace(querytree(query), ' & ', ' | ');
    RETURN (
        SELECT chapter
        FROM jsonb_array_elements(chapters) WITH ORDINALITY AS item (chapter, number),
            LATERAL ivsvod_search_text(left(chapter ->> 'title', 1000)) AS title,
            LATERAL (SELECT to_tsvector(config, title) || strip(to_tsvector('simple', title))) AS words (vector)
        WHERE number <= 100 AND jsonb_typeof(chapter -> 'title') = 'string' AND vector @@ any_word
        ORDER BY ts_rank(vector, any_word) DESC, number LIMIT 1
    );
END $$;
