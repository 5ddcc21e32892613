-- Return the playback of a new recording: `grant` if its channel was private when it started, else `public`.
-- The audit log knows what the channel was before each later change, so an event may come hours late.
CREATE OR REPLACE FUNCTION ivsvod_new_playback(channel_uuid uuid, started_at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN coalesce(
        -- The value that the first later change replaced. If that is the creation of the row: the value it was made with.
        (SELECT coalesce(nullif(changes #> '{private,0}', 'null'), changes #> '{private,1}') = 'true'
            FROM channels_app_auditentry
            WHERE object_pk = channel_uuid::text AND timestamp > started_at AND changes ? 'private'
            ORDER BY id LIMIT 1),
        -- `private` is NULL until it is derived.
        (SELECT coalesce(_private, channel_data #> '{Channel,Authorized}' = 'true') FROM ivs_channels
            WHERE uuid = channel_uuid)
    ) THEN 'grant' ELSE 'public' END
$$;
