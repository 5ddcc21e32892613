-- Record the start or end of a stream that the predecessor wrote, so that the live state follows at once.
-- Fired by every INSERT and UPDATE of `ivs_state_changes`. Rows of this service have an `_event_id`;
-- `ivsvod_record_event` writes their stream.
CREATE OR REPLACE FUNCTION ivsvod_derive_state_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW._event_id IS NULL THEN
        PERFORM ivsvod_record_state_change(NEW._id, NEW.ivs_channel_uuid, NEW.timestamp, NEW.state, NEW.data);
    END IF;
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_derive_state_change() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON ivs_state_changes
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_state_change();
