-- Let the videos that show a recording need a grant as soon as the recording does. Fired by each UPDATE of
-- `on_demand_videos`, by this service or another program. The other way round, people decide about each of them.
CREATE OR REPLACE FUNCTION ivsvod_protect_edited() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    -- In the order of locks by uuid, which the plan of an UPDATE does not keep.
    PERFORM FROM on_demand_videos
        WHERE _edited IS NOT NULL AND _edited -> 'parts' @> ivsvod_part_of(NEW._bucket, NEW._prefix)
        ORDER BY uuid FOR NO KEY UPDATE;
    UPDATE on_demand_videos SET _playback = 'grant'
    WHERE _edited IS NOT NULL AND _edited -> 'parts' @> ivsvod_part_of(NEW._bucket, NEW._prefix)
        AND _playback = 'public' AND uuid <> NEW.uuid;
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_protect_edited() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_protect AFTER UPDATE ON on_demand_videos FOR EACH ROW
    WHEN (OLD._playback = 'public' AND NEW._playback <> 'public' AND NEW._prefix <> '')
    EXECUTE FUNCTION ivsvod_protect_edited();
