-- Point all rows of a recording to the first one, those too that a trigger marked before older rows were derived.
-- Parameters: bucket, prefix.
WITH place AS (
    SELECT uuid, created_at, active, _status, _duplicate_of, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE _bucket = %s AND _prefix = %s ORDER BY uuid FOR NO KEY UPDATE
), first AS (
    SELECT uuid FROM place
    ORDER BY ivsvod_first_row_rank(_status, active, _duplicate_of), created_at, uuid LIMIT 1
)
UPDATE on_demand_videos AS video SET _duplicate_of = nullif(first.uuid, video.uuid)
FROM place, first
WHERE video.uuid = place.uuid AND video._duplicate_of IS DISTINCT FROM nullif(first.uuid, video.uuid)
