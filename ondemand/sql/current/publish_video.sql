-- Decide the publication of a row of the predecessor: as staff decided for the same recording while it ran, else as
-- its channel says for new videos. A private channel without a choice holds it back.
-- Fired by every INSERT into `on_demand_videos`. Rows of this service set these columns themselves. The predecessor
-- has no such columns, so its rows have the defaults.
CREATE OR REPLACE FUNCTION ivsvod_publish_video() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    first_row on_demand_videos;
    state text;
BEGIN
    -- A clip has no recording that the channel decides about.
    IF NEW._clip_of IS NOT NULL OR (NEW.active, NEW._held, NEW._visibility) IS DISTINCT FROM (true, false, 'public') THEN
        RETURN NEW;
    END IF;
    IF NEW._prefix <> '' THEN
        SELECT * INTO first_row FROM on_demand_videos
        WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix AND uuid <> NEW.uuid
        ORDER BY ivsvod_first_row_rank(_status, active, _duplicate_of), created_at, uuid LIMIT 1;
    END IF;
    SELECT ivsvod_new_video_state(_new_video_state, _private, channel_data) INTO state
    FROM ivs_channels WHERE uuid = NEW.ivs_channel_uuid;
    NEW._visibility := coalesce(first_row._visibility, CASE state WHEN 'unlisted' THEN 'unlisted' ELSE 'public' END);
    NEW._held := coalesce(first_row._held, state = 'hidden', false);
    NEW._publish_from := coalesce(NEW._publish_from, first_row._publish_from);
    NEW._publish_until := coalesce(NEW._publish_until, first_row._publish_until);
    -- All rows of a recording show the same part of it.
    NEW._edit := coalesce(NEW._edit, first_row._edit);
    NEW._edited := coalesce(NEW._edited, first_row._edited);
    NEW._part_of := coalesce(NEW._part_of, first_row._part_of);
    NEW._awaits_review := first_row._visibility IS NULL AND NEW._visibility = 'unlisted';
    IF NEW._metadata = '{}' THEN
        NEW._metadata := coalesce(first_row._metadata, NEW._metadata);
    END IF;
    NEW._chapters := coalesce(NEW._chapters, first_row._chapters);
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_publish_video() FROM PUBLIC;

-- PostgreSQL fires triggers in the order of their names: after `ivsvod_derive`, which finds bucket and prefix.
CREATE OR REPLACE TRIGGER ivsvod_publish BEFORE INSERT ON on_demand_videos
    FOR EACH ROW EXECUTE FUNCTION ivsvod_publish_video();
