-- Write the index of videos that it lacks. Parameters: last uuid, batch size.
SELECT unnest(ivsvod_index_videos(array_agg(uuid), true)) FROM (
    SELECT uuid FROM on_demand_videos AS video
    WHERE uuid > %s AND NOT EXISTS (SELECT FROM ondemand_videoindex WHERE video_id = video.uuid)
    ORDER BY uuid LIMIT %s
) AS batch
