-- Return the query of a text in web-search syntax. The last word also matches as a prefix: as the configuration of the
-- search has cut it, and as it is written, since `universit` is cut otherwise than `university`. An empty last word, and
-- one that the search leaves out, such as "the", changes nothing.
CREATE OR REPLACE FUNCTION ivsvod_search_query(query text, last_word text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    found tsquery := websearch_to_tsquery(ivsvod_search_config(), query);
    word text := plainto_tsquery(ivsvod_search_config(), last_word);
BEGIN
    IF word = '' OR right(found::text, length(word)) <> word THEN
        RETURN found;
    END IF;
    RETURN left(found::text, -length(word)) || CASE word
        WHEN quote_literal(lower(last_word)) THEN word || ':*'
        ELSE format('( %s:* | %s:* )', word, quote_literal(lower(last_word)))
    END;
END $$;
