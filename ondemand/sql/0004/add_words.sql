-- Add the words of the newest listed videos to `ondemand_searchword`. Parameter: the number of videos.
WITH newest AS (
    SELECT channel_id, title_key, tags FROM ondemand_videoindex
    WHERE listing = 'listed' ORDER BY start_key DESC, video_id DESC LIMIT %s
)
INSERT INTO ondemand_searchword (word)
SELECT DISTINCT word
FROM newest
LEFT JOIN ivs_channels AS channel ON channel.uuid = newest.channel_id
    AND ivsvod_is_public_channel(channel.active, channel._private, channel._status)
CROSS JOIN LATERAL unnest(tsvector_to_array(to_tsvector('simple', ivsvod_search_text(
    concat_ws(' ', newest.title_key, left(array_to_string(newest.tags, ' '), 10000), left(channel._name, 1000))
)))) AS word
-- Shorter ones have too many neighbours, and compounds are found by their parts.
WHERE length(word) BETWEEN 4 AND 40 AND word ~ '^\w+$' AND word !~ '^\d+$'
-- In one order, so that two sessions do not wait for each other.
ORDER BY word
ON CONFLICT DO NOTHING
