-- Fill the columns that are derived from `data` and `created_at`: status, bucket, prefix, session, streams,
-- duration, start, end and playback; mark a new row as a duplicate if its recording has a row already;
-- drop an edit that is none; and let a video that shows a recording which needs a grant need one too.
-- Fired by every INSERT and UPDATE of `on_demand_videos` by any program. Sets only columns that are NULL, so rows of
-- this service, which set the columns themselves, keep their values. Accepts any `data`.
CREATE OR REPLACE FUNCTION ivsvod_derive_video() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    foreign_row boolean := NEW._status IS NULL;
BEGIN
    NEW._status := coalesce(NEW._status, 'available');
    NEW._qa := coalesce(NEW._qa, 'unverified');
    NEW._bucket := coalesce(NEW._bucket, ivsvod_s3_name(NEW.data, 'recording_s3_bucket_name', 63));
    NEW._prefix := coalesce(NEW._prefix, ivsvod_s3_name(NEW.data, 'recording_s3_key_prefix', 1000));
    NEW._session_id := coalesce(NEW._session_id, ivsvod_json_text(NEW.data, 'recording_session_id'), '');
    NEW._stream_ids := coalesce(NEW._stream_ids, ivsvod_stream_ids(NEW.data));
    NEW._duration_ms := coalesce(NEW._duration_ms, ivsvod_json_milliseconds(NEW.data, 'recording_duration_ms'));
    IF foreign_row THEN
        NEW._started_at := coalesce(NEW._started_at,
            ivsvod_usable_time(NEW.created_at) - NEW._duration_ms * interval '1 millisecond');
        NEW._ended_at := coalesce(NEW._ended_at, ivsvod_usable_time(NEW.created_at));
    END IF;
    IF foreign_row AND TG_OP = 'INSERT' AND NEW._prefix <> '' AND NEW._duplicate_of IS NULL THEN
        -- Two sessions that insert the same recording at once must see each other. One lock for all recordings, since a
        -- statement may insert any number of them and the memory for locks is bounded. It is taken before any channel
        -- row, so that two such statements wait for each other here, and never halfway.
        PERFORM pg_advisory_xact_lock(hashtextextended('ivsvod_derive_video', 0));
        -- Events of the channel are written under the lock of its row: this insert waits for them, and they for it.
        PERFORM FROM ivs_channels WHERE uuid = NEW.ivs_channel_uuid FOR NO KEY UPDATE;
        SELECT uuid INTO NEW._duplicate_of FROM on_demand_videos
        WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix AND uuid <> NEW.uuid
            AND ivsvod_first_row_rank(_status, active, _duplicate_of) = 0
        ORDER BY created_at, uuid LIMIT 1;
    END IF;
    IF NEW._playback IS NULL THEN
        -- All rows of a recording have the same files, and people may have decided already.
        IF NEW._prefix <> '' THEN
            SELECT min(_playback) INTO NEW._playback FROM on_demand_videos
            WHERE _bucket = NEW._bucket AND _prefix = NEW._prefix;
        END IF;
        NEW._playback := coalesce(NEW._playback, ivsvod_new_playback(NEW.ivs_channel_uuid, NEW._started_at));
    END IF;
    IF num_nonnulls(NEW._edit, NEW._edited) > 0 AND ivsvod_usable_edit(NEW._edit, NEW._edited) IS NOT TRUE THEN
        NEW._edit := NULL;
        NEW._edited := NULL;
    END IF;
    IF NEW._edited IS NOT NULL AND NEW._playback = 'public' AND ivsvod_shows_granted(NEW._edited, NEW._bucket, NEW._prefix) THEN
        NEW._playback := 'grant';
    END IF;
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_derive_video() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_derive BEFORE INSERT OR UPDATE ON on_demand_videos
    FOR EACH ROW EXECUTE FUNCTION ivsvod_derive_video();
