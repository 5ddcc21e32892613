-- Keep the times of videos readable for every client. Rows that fire no trigger, as by logical replication, are made
-- readable by `ReadableTimeLoader` in `common/postgresql/base.py` instead.

-- Return when publication begins. A time before 1900 is no beginning (NULL), one after 9000 is the last that clients
-- can hold.
CREATE OR REPLACE FUNCTION ivsvod_publish_from(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment >= '1900-01-01 00:00+00' THEN least(moment, '9000-12-31 23:59:59.999999+00') END
$$;

-- Return when publication ends. A time after 9000 is no end (NULL), one before 1900 is the first that clients can
-- hold.
CREATE OR REPLACE FUNCTION ivsvod_publish_until(moment timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN moment <= '9000-12-31 23:59:59.999999+00' THEN greatest(moment, '1900-01-01 00:00+00') END
$$;

-- Replace times that a client may be unable to read.
CREATE OR REPLACE FUNCTION ivsvod_keep_times() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    NEW._publish_from := ivsvod_publish_from(NEW._publish_from);
    NEW._publish_until := ivsvod_publish_until(NEW._publish_until);
    NEW._started_at := CASE WHEN NEW._started_at IS NOT NULL THEN ivsvod_usable_time(NEW._started_at) END;
    NEW._ended_at := CASE WHEN NEW._ended_at IS NOT NULL THEN ivsvod_usable_time(NEW._ended_at) END;
    RETURN NEW;
END $$;

REVOKE ALL ON FUNCTION ivsvod_keep_times() FROM PUBLIC;

-- PostgreSQL fires triggers in the order of their names: last, because the triggers before it fill these columns.
CREATE OR REPLACE TRIGGER ivsvod_times BEFORE INSERT OR UPDATE ON on_demand_videos FOR EACH ROW WHEN (
    NEW._publish_from IS DISTINCT FROM ivsvod_publish_from(NEW._publish_from)
    OR NEW._publish_until IS DISTINCT FROM ivsvod_publish_until(NEW._publish_until)
    OR NEW._started_at <> ivsvod_usable_time(NEW._started_at)
    OR NEW._ended_at <> ivsvod_usable_time(NEW._ended_at)
) EXECUTE FUNCTION ivsvod_keep_times();
