-- Keep the names of channels in the index of their videos. Fired by every INSERT, UPDATE and DELETE of `ivs_channels`
-- by any program.
CREATE OR REPLACE FUNCTION ivsvod_index_of_channels() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    renamed uuid[];
    uuids uuid[];
BEGIN
    IF TG_OP = 'DELETE' THEN
        SELECT array_agg(uuid) INTO renamed FROM old_rows WHERE _name <> '';
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(uuid) INTO renamed FROM new_rows WHERE _name <> '';
    ELSE
        SELECT array_agg(after.uuid) INTO renamed
        FROM new_rows AS after JOIN old_rows AS before ON after.uuid = before.uuid
            AND (after._name, after.active, after._private, after._status)
                IS DISTINCT FROM (before._name, before.active, before._private, before._status);
    END IF;
    SELECT array_agg(uuid) INTO uuids FROM on_demand_videos WHERE ivs_channel_uuid = ANY (renamed);
    PERFORM ivsvod_index_videos(uuids, true) WHERE uuids IS NOT NULL;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_index_of_channels() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_index_inserted AFTER INSERT ON ivs_channels
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_channels();

CREATE OR REPLACE TRIGGER ivsvod_index_updated AFTER UPDATE ON ivs_channels
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_index_of_channels();

CREATE OR REPLACE TRIGGER ivsvod_index_deleted AFTER DELETE ON ivs_channels
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_index_of_channels();
