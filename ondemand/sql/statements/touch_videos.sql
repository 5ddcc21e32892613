-- Fire the triggers of rows that lack derived columns, in these blocks of the table: in the order of the disk, each block
-- is written once. Parameters: the place before the first row, that after the last. No audit entry: no person made this
-- change.
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE ctid >= %s::tid AND ctid < %s::tid AND _status IS NULL ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = video.created_at
FROM batch WHERE video.uuid = batch.uuid
