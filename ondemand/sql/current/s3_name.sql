-- Return the name of a bucket, or the key of an object without slashes at its ends. Returns '' if there is none, or
-- if it is longer than S3 allows.
CREATE OR REPLACE FUNCTION ivsvod_s3_name(document jsonb, key text, longest integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(trim(BOTH '/' FROM ivsvod_json_text(document, key))) <= longest
        THEN trim(BOTH '/' FROM ivsvod_json_text(document, key)) ELSE '' END
$$;
