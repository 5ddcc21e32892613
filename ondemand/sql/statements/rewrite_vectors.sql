-- Rewrite search vectors that differ, as after a change of the configuration. Parameters: last uuid, batch size.
WITH batch AS (
    SELECT uuid FROM on_demand_video_content WHERE uuid > %s ORDER BY uuid LIMIT %s FOR NO KEY UPDATE
), vector AS (
    SELECT uuid, ivsvod_search_vector(title, description, coalesce(tags, '{}')) AS vector
    FROM on_demand_video_content JOIN batch USING (uuid)
), written AS (
    UPDATE on_demand_video_content AS content SET _search = vector
    FROM vector WHERE content.uuid = vector.uuid AND content._search IS DISTINCT FROM vector
)
SELECT uuid FROM batch
