-- Fill the columns that are derived from `channel_data`: name, type, latency mode, private, record, playback URL and
-- status.
-- Fired by every INSERT and UPDATE of `ivs_channels` by any writer. Sets only what is NULL, so rows of this
-- service, which set the columns themselves, keep their values. Accepts any `channel_data`.
CREATE OR REPLACE FUNCTION ivsvod_derive_channel() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    kind text := ivsvod_json_text(NEW.channel_data, 'Channel', 'Type');
    latency text := ivsvod_json_text(NEW.channel_data, 'Channel', 'LatencyMode');
BEGIN
    NEW._name := coalesce(NEW._name, ivsvod_json_text(NEW.channel_data, 'Channel', 'Tags', 'Name'), '');
    NEW._type := coalesce(NEW._type,
        CASE WHEN kind IN ('BASIC', 'ADVANCED_SD', 'ADVANCED_HD') THEN kind ELSE 'STANDARD' END);
    NEW._latency_mode := coalesce(NEW._latency_mode, CASE WHEN latency = 'NORMAL' THEN latency ELSE 'LOW' END);
    NEW._private := coalesce(NEW._private,
        coalesce(NEW.channel_data #> '{Channel,Authorized}' = 'true'::jsonb, false));
    NEW._record := coalesce(NEW._record,
        coalesce(ivsvod_json_text(NEW.channel_data, 'Channel', 'RecordingConfigurationArn'), '') <> '');
    NEW._playback_url := coalesce(NEW._playback_url, ivsvod_json_text(NEW.channel_data, 'Channel', 'PlaybackUrl'), '');
    NEW._status := coalesce(NEW._status, 'ready');
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_derive_channel() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON ivs_channels
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_channel();
