-- Return the text with a separator around each Chinese, Japanese and Korean character. These languages are written
-- without spaces, so each character is searched as a word, and a search for several as a phrase.
-- The separator is U+0001, which no text has: PostgreSQL splits words there, and excerpts of a text are made without it.
CREATE OR REPLACE FUNCTION ivsvod_search_text(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        -- Plain ASCII, which most texts are, needs no look at each character.
        WHEN octet_length(text) = length(text) THEN text
        ELSE regexp_replace(
            text, '([\u2e80-\u2fdf\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff])',
            E'\x01\\1\x01', 'g')
    END
$$;
