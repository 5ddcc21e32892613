-- Return the word, and the word without each of its letters. Two words that differ in one letter, which is another one,
-- missing or too many, or in two that are swapped, have a form in common. This needs no extension, as trigrams do.
CREATE OR REPLACE FUNCTION ivsvod_word_forms(word text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_agg(left(word, place - 1) || substr(word, place + 1)) FROM generate_series(1, length(word) + 1) AS place
$$;
