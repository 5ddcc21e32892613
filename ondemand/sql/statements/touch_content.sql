-- Fire the triggers of content without a search vector. Parameters: last uuid, batch size.
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s AND _search IS NULL ORDER BY uuid LIMIT %s
    FOR NO KEY UPDATE
)
UPDATE on_demand_video_content AS content SET created_by = content.created_by
FROM batch WHERE content.uuid = batch.uuid RETURNING content.uuid
