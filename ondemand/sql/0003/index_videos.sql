-- Write the rows of these videos in `ondemand_videoindex`, from which lists, search and tags are read; `is_text`: their
-- search vectors too. Return the uuids of the rows that changed.
-- The rows are locked before the videos are read, so that of two sessions that change a video, its content or its
-- channel at once, the second one reads what the first one wrote. A video without a row is locked itself.
-- PostgreSQL would plan the statement anew for each video, or keep a plan that reads the whole index from when it was
-- small. So its rows are read by their keys, and the plan is kept.
CREATE OR REPLACE FUNCTION ivsvod_index_videos(uuids uuid[], is_text boolean) RETURNS uuid[]
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    locked integer;
    changed uuid[];
BEGIN
    PERFORM FROM ondemand_videoindex WHERE video_id = ANY (uuids) ORDER BY video_id FOR UPDATE;
    GET DIAGNOSTICS locked = ROW_COUNT;
    IF locked < cardinality(uuids) THEN
        PERFORM FROM on_demand_videos WHERE uuid = ANY (uuids) ORDER BY uuid FOR NO KEY UPDATE;
    END IF;
    WITH written AS (
        INSERT INTO ondemand_videoindex AS existing
            (video_id, channel_id, listing, status, active, is_open, publish_from, publish_until, start_key, length_key,
                title_key, tags, metadata, search)
        SELECT video.uuid, video.ivs_channel_uuid,
            ivsvod_listing(video._status, video.active, video._held,
                video._duplicate_of IS NOT NULL OR video._part_of IS NOT NULL, video._visibility),
            video._status, video.active,
            -- Another status than `available` usually goes with NULL values, which are no reason to leave a video out.
            ivsvod_listing('available', true,
                CASE video._status WHEN 'available' THEN video._held ELSE coalesce(video._held, false) END,
                video._duplicate_of IS NOT NULL OR video._part_of IS NOT NULL,
                CASE video._status WHEN 'available' THEN video._visibility ELSE coalesce(video._visibility, 'public') END
            ) = 'listed',
            video._publish_from, video._publish_until,
            coalesce(video._started_at, '1900-01-01 00:00+00'),
            CASE WHEN video._edited IS NULL THEN coalesce(video._duration_ms, 0)
                ELSE ivsvod_json_milliseconds(video._edited, 'duration_ms') END,
            nullif(lower(left(content.title, 100)), ''),
            coalesce((SELECT array_agg(DISTINCT tag) FROM unnest(content.tags) AS tag WHERE tag <> ''), '{}'),
            video._metadata,
            CASE WHEN is_text OR before.search IS NULL THEN
                ivsvod_search_vector(content.title, content.description, coalesce(content.tags, '{}'), channel._name,
                    ivsvod_chapter_titles(video._chapters))
            ELSE before.search END
        FROM on_demand_videos AS video
        LEFT JOIN on_demand_video_content AS content ON content.on_demand_video_uuid = video.uuid
        -- Names of channels that nobody is shown are not searched: a search would spell them out.
        LEFT JOIN ivs_channels AS channel ON channel.uuid = video.ivs_channel_uuid
            AND ivsvod_is_public_channel(channel.active, channel._private, channel._status)
        LEFT JOIN ondemand_videoindex AS before ON before.video_id = video.uuid
        WHERE video.uuid = ANY (uuids)
        ORDER BY video.uuid
        ON CONFLICT (video_id) DO UPDATE SET
            channel_id = excluded.channel_id, listing = excluded.listing, status = excluded.status,
            active = excluded.active, is_open = excluded.is_open, publish_from = excluded.publish_from,
            publish_until = excluded.publish_until, start_key = excluded.start_key, length_key = excluded.length_key,
            title_key = excluded.title_key, tags = excluded.tags, metadata = excluded.metadata, search = excluded.search
        WHERE existing IS DISTINCT FROM excluded
        RETURNING video_id
    )
    SELECT array_agg(video_id) INTO changed FROM written;
    RETURN changed;
END $$;
