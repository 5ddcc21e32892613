-- Rows that point to a deleted first row are no duplicates any more. No audit entry: no person made this change.
WITH orphan AS (
    SELECT uuid, set_config('ivsvod.actor', '{"way": "none"}', true) FROM on_demand_videos AS video
    WHERE _duplicate_of IS NOT NULL AND NOT EXISTS (SELECT FROM on_demand_videos WHERE uuid = video._duplicate_of)
    ORDER BY uuid FOR NO KEY UPDATE
)
UPDATE on_demand_videos AS video SET _duplicate_of = NULL FROM orphan WHERE video.uuid = orphan.uuid
