-- Fire the triggers of the rows in a range of blocks that lack derived columns. In the order of the disk each block is
-- written once. Parameters: the first ctid, and the one after the last. No audit entry: no person made this change.
WITH batch AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true)
    FROM on_demand_videos WHERE ctid >= %s::tid AND ctid < %s::tid AND _status IS NULL ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET created_at = video.created_at
FROM batch WHERE video.uuid = batch.uuid
