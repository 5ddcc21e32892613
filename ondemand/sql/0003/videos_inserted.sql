-- Forget that a recording was removed when a row for it is inserted, such as the predecessor may do. Fired by each
-- INSERT into `on_demand_videos`.
CREATE OR REPLACE FUNCTION ivsvod_videos_inserted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM ondemand_removedrecording AS removed USING new_rows AS inserted
    WHERE removed.bucket = inserted._bucket AND removed.prefix = inserted._prefix;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_videos_inserted() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_inserted AFTER INSERT ON on_demand_videos
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_videos_inserted();
