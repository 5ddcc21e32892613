-- Each tag of each video, once. The model `VideoTag` reads it.
CREATE OR REPLACE VIEW ivsvod_video_tags AS
    SELECT content.on_demand_video_uuid AS video_uuid, found.tag
    FROM on_demand_video_content AS content
    CROSS JOIN LATERAL (SELECT DISTINCT tag FROM unnest(content.tags) AS tag WHERE tag <> '') AS found;
