-- Return the milliseconds at a key of a JSON document. Returns 0 if there are none, or more than a year of them: IVS
-- ends a recording after 48 hours, and a number that fits bigint can still move `created_at` out of the range of
-- timestamps.
CREATE OR REPLACE FUNCTION ivsvod_json_milliseconds(document jsonb, key text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    text_value text := document ->> key;
    number numeric := CASE jsonb_typeof(document -> key)
        WHEN 'number' THEN text_value::numeric
        WHEN 'string' THEN CASE WHEN text_value ~ '^[0-9]{1,15}$' THEN text_value::numeric END
    END;
BEGIN
    RETURN CASE WHEN number BETWEEN 0 AND 31622400000 THEN trunc(number)::bigint ELSE 0 END;
END $$;
