-- Fire the triggers of rows that lack derived columns. Parameters: last uuid, batch size. No audit entry: no person
-- made this change.
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE uuid > %s AND _status IS NULL ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = video.created_at
FROM batch WHERE video.uuid = batch.uuid RETURNING video.uuid
