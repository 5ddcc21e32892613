-- Write the index of videos that it lacks; return their uuids, of a row too that another session wrote meanwhile.
-- Parameters: last uuid, batch size.
WITH batch AS (
    SELECT uuid FROM on_demand_videos AS video
    WHERE uuid > %s AND NOT EXISTS (SELECT FROM ondemand_videoindex WHERE video_id = video.uuid)
    ORDER BY uuid LIMIT %s
), written AS MATERIALIZED (
    SELECT ivsvod_index_videos(array_agg(uuid), true) AS uuids FROM batch
)
SELECT uuid FROM batch, written
