-- Return the publication state of new recordings of a channel: `listed`, `unlisted` or `hidden` as the channel has it,
-- else `hidden` if it is private, else NULL, so that the setting NEW_VIDEO_STATE decides.
CREATE OR REPLACE FUNCTION ivsvod_new_video_state(state text, private boolean, channel_data jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- `private` is NULL until it is derived; what IVS answered to the creation of the channel says the same.
    SELECT coalesce(state,
        CASE WHEN coalesce(private, channel_data #> '{Channel,Authorized}' = 'true'::jsonb) THEN 'hidden' END)
$$;
