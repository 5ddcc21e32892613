-- Remove rows of the index whose videos were removed without triggers, and count the videos and the listed videos of
-- each tag anew.
LOCK TABLE ondemand_videoindex IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM ondemand_videoindex WHERE NOT EXISTS (SELECT FROM on_demand_videos WHERE uuid = video_id);
DELETE FROM ondemand_tagcount;
INSERT INTO ondemand_tagcount (tag, publish_from, publish_until, videos, listed)
SELECT tag, publish_from, publish_until, count(*), count(*) FILTER (WHERE listing = 'listed')
FROM ondemand_videoindex CROSS JOIN LATERAL unnest(tags) AS tag GROUP BY tag, publish_from, publish_until
