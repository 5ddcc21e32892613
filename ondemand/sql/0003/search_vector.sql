-- Return the weighted search vector of a video: title, tags, description, chapters and the name of its channel.
-- All but the description are also searched as they are written, so that the beginning of a word finds it; without
-- positions, since two texts in a row would make phrases that nobody wrote.
-- A vector of more than 1 MB raises an error, so a very long text is searched by its beginning.
-- https://www.postgresql.org/docs/current/textsearch-limitations.html
CREATE OR REPLACE FUNCTION ivsvod_search_vector(
    title text, description text, tags text[], channel_name text, chapter_titles text
) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    config regconfig := ivsvod_search_config();
    title_text text := ivsvod_search_text(left(coalesce(title, ''), 100000));
    tags_text text := ivsvod_search_text(left(array_to_string(tags, ' '), 100000));
    description_text text := ivsvod_search_text(left(coalesce(description, ''), 200000));
    name_text text := ivsvod_search_text(left(coalesce(channel_name, ''), 1000));
    chapters_text text := ivsvod_search_text(left(coalesce(chapter_titles, ''), 100000));
BEGIN
    LOOP
        BEGIN
            RETURN setweight(to_tsvector(config, title_text) || strip(to_tsvector('simple', title_text)), 'A')
                || setweight(to_tsvector(config, tags_text) || strip(to_tsvector('simple', tags_text)), 'B')
                || setweight(to_tsvector(config, description_text), 'C')
                || setweight(to_tsvector(config, chapters_text) || strip(to_tsvector('simple', chapters_text)), 'C')
                || setweight(to_tsvector(config, name_text) || strip(to_tsvector('simple', name_text)), 'D');
        EXCEPTION WHEN program_limit_exceeded THEN
            title_text := left(title_text, length(title_text) / 2);
            tags_text := left(tags_text, length(tags_text) / 2);
            description_text := left(description_text, length(description_text) / 2);
            chapters_text := left(chapters_text, length(chapters_text) / 2);
        END;
    END LOOP;
END $$;
