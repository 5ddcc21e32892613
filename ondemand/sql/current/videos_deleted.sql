-- Keep the recordings right when rows of `on_demand_videos` are deleted. Fired by each DELETE, by this service or
-- another program.
-- A recording whose last row is deleted is remembered as removed. If the first row of several is deleted, one
-- duplicate takes its place, the one that `backfill` would choose, and the others point to it. The decisions of
-- staff about the first row are decisions about the recording, so they are copied. Writes no audit entry: no person
-- made this change.
CREATE OR REPLACE FUNCTION ivsvod_videos_deleted() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    actor text := current_setting('ivsvod.actor', true);
BEGIN
    INSERT INTO ondemand_removedrecording (bucket, prefix, removed_at)
    SELECT DISTINCT _bucket, _prefix, now() FROM old_rows AS gone
    WHERE _prefix <> '' AND _bucket IS NOT NULL
        AND NOT EXISTS (SELECT FROM on_demand_videos WHERE _bucket = gone._bucket AND _prefix = gone._prefix)
    ORDER BY _bucket, _prefix
    ON CONFLICT DO NOTHING;
    -- In the one order of locks, which the plan of an UPDATE does not keep.
    PERFORM FROM on_demand_videos AS video JOIN old_rows AS gone
        ON video._bucket = gone._bucket AND video._prefix = gone._prefix AND video._duplicate_of = gone.uuid
        ORDER BY video.uuid FOR NO KEY UPDATE OF video;
    PERFORM set_config('ivsvod.actor', '{"way": "none"}', true);
    WITH orphan AS (
        SELECT video.uuid, gone.uuid AS gone_uuid, (
            SELECT uuid FROM on_demand_videos AS place
            WHERE place._bucket = gone._bucket AND place._prefix = gone._prefix
            ORDER BY ivsvod_first_row_rank(_status, active, nullif(_duplicate_of, gone.uuid)), created_at, uuid LIMIT 1
        ) AS first_uuid
        FROM old_rows AS gone JOIN on_demand_videos AS video
            ON video._bucket = gone._bucket AND video._prefix = gone._prefix AND video._duplicate_of = gone.uuid
    )
    UPDATE on_demand_videos AS video SET
        _duplicate_of = nullif(orphan.first_uuid, video.uuid),
        active = CASE WHEN gone.active IS FALSE THEN false ELSE video.active END,
        _visibility = coalesce(gone._visibility, video._visibility),
        _held = coalesce(gone._held, video._held),
        _held_by_check = gone._held_by_check,
        _awaits_review = gone._awaits_review,
        _publish_from = gone._publish_from,
        _publish_until = gone._publish_until
    FROM orphan JOIN old_rows AS gone ON gone.uuid = orphan.gone_uuid
    WHERE video.uuid = orphan.uuid;
    PERFORM set_config('ivsvod.actor', coalesce(actor, ''), true);
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_videos_deleted() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_deleted AFTER DELETE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_videos_deleted();
