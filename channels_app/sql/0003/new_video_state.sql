-- Return what a channel makes of its new recordings: `listed`, `unlisted` or `hidden`, as the channel says; else
-- `hidden` if it is private; else NULL, which means: as the setting NEW_VIDEO_STATE says.
CREATE OR REPLACE FUNCTION ivsvod_new_video_state(state text, private boolean, channel_data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- `private` is NULL until it is derived; what IVS answered to the creation of the channel says the same.
    SELECT coalesce(state,
        CASE WHEN coalesce(private, channel_data #> '{Channel,Authorized}' = 'true'::jsonb) THEN 'hidden' END)
$$;
