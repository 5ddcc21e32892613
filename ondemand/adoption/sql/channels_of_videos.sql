SELECT count(*) FILTER (WHERE video.ivs_channel_uuid IS NOT NULL),
    count(*) FILTER (WHERE video.ivs_channel_uuid IS NULL)
FROM on_demand_videos AS video LEFT JOIN ivs_channels AS channel ON channel.uuid = video.ivs_channel_uuid
WHERE channel.uuid IS NULL
