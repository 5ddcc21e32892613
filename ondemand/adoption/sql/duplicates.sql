SELECT count(*), coalesce(sum(number - 1), 0)::bigint FROM (
    SELECT count(*) AS number FROM (
        SELECT
            coalesce(trim(BOTH '/' FROM CASE WHEN jsonb_typeof(data -> 'recording_s3_bucket_name') = 'string'
                THEN data ->> 'recording_s3_bucket_name' END), '') AS bucket,
            coalesce(trim(BOTH '/' FROM CASE WHEN jsonb_typeof(data -> 'recording_s3_key_prefix') = 'string'
                THEN data ->> 'recording_s3_key_prefix' END), '') AS prefix
        FROM on_demand_videos
    ) AS place
    WHERE prefix <> '' GROUP BY bucket, prefix HAVING count(*) > 1
) AS doubled
