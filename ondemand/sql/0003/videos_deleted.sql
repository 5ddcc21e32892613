-- Keep the recordings consistent when rows of `on_demand_videos` are deleted. Fired by each DELETE, by this service or
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
    SELECT DISTINCT _bucket, _prefix, now() FROM old_rows AS deleted
    WHERE _prefix <> '' AND _bucket IS NOT NULL
        AND NOT EXISTS (SELECT FROM on_demand_videos WHERE _bucket = deleted._bucket AND _prefix = deleted._prefix)
    ORDER BY _bucket, _prefix
    ON CONFLICT DO NOTHING;
    -- In the order of locks by uuid, which the plan of an UPDATE does not keep.
    PERFORM FROM on_demand_videos AS video JOIN old_rows AS deleted
        ON video._bucket = deleted._bucket AND video._prefix = deleted._prefix AND video._duplicate_of = deleted.uuid
        ORDER BY video.uuid FOR NO KEY UPDATE OF video;
    PERFORM set_config('ivsvod.actor', '{"way": "none"}', true);
    WITH orphan AS (
        SELECT video.uuid, deleted.uuid AS deleted_uuid, (
            SELECT uuid FROM on_demand_videos AS place
            WHERE place._bucket = deleted._bucket AND place._prefix = deleted._prefix
            ORDER BY ivsvod_first_row_rank(_status, active, nullif(_duplicate_of, deleted.uuid)), created_at, uuid LIMIT 1
        ) AS first_uuid
        FROM old_rows AS deleted JOIN on_demand_videos AS video
            ON video._bucket = deleted._bucket AND video._prefix = deleted._prefix AND video._duplicate_of = deleted.uuid
    )
    UPDATE on_demand_videos AS video SET
        _duplicate_of = nullif(orphan.first_uuid, video.uuid),
        active = CASE WHEN deleted.active IS FALSE THEN false ELSE video.active END,
        _visibility = coalesce(deleted._visibility, video._visibility),
        _held = coalesce(deleted._held, video._held),
        _held_by_check = deleted._held_by_check,
        _awaits_review = deleted._awaits_review,
        _publish_from = deleted._publish_from,
        _publish_until = deleted._publish_until,
        -- As `publish_video.sql`: a row keeps its own.
        _metadata = CASE WHEN video._metadata = '{}' THEN deleted._metadata ELSE video._metadata END,
        _chapters = coalesce(video._chapters, deleted._chapters),
        _edit = deleted._edit,
        _edited = deleted._edited,
        _part_of = deleted._part_of
    FROM orphan JOIN old_rows AS deleted ON deleted.uuid = orphan.deleted_uuid
    WHERE video.uuid = orphan.uuid;
    -- The parts of a join stay parts of the row that takes the place of the first one. Without one they come back.
    UPDATE on_demand_videos AS video SET _part_of = (
        SELECT uuid FROM on_demand_videos AS place
        WHERE place._bucket = deleted._bucket AND place._prefix = deleted._prefix AND place._duplicate_of IS NULL LIMIT 1
    )
    FROM old_rows AS deleted WHERE video._part_of = deleted.uuid;
    -- A video that shows a recording of which nothing is left is not edited any more. Of a clip nothing is left either.
    WITH gone AS (
        SELECT DISTINCT deleted._bucket, deleted._prefix FROM old_rows AS deleted
        WHERE deleted._prefix <> '' AND NOT EXISTS (
            SELECT FROM on_demand_videos WHERE _bucket = deleted._bucket AND _prefix = deleted._prefix)
    ), shown AS (
        SELECT video.uuid FROM gone JOIN on_demand_videos AS video
            ON video._edited IS NOT NULL AND video._edited -> 'parts' @> ivsvod_part_of(gone._bucket, gone._prefix)
        ORDER BY video.uuid FOR NO KEY UPDATE OF video
    )
    UPDATE on_demand_videos AS video SET
        _edit = CASE WHEN video._clip_of IS NULL AND video.uuid = shown.uuid THEN NULL ELSE video._edit END,
        _edited = CASE WHEN video.uuid = shown.uuid THEN NULL ELSE video._edited END,
        active = CASE WHEN video._clip_of IS NULL OR video.uuid <> shown.uuid THEN video.active ELSE false END,
        _part_of = CASE WHEN video._part_of = shown.uuid THEN NULL ELSE video._part_of END
    FROM shown WHERE video.uuid = shown.uuid OR video._part_of = shown.uuid;
    PERFORM set_config('ivsvod.actor', coalesce(actor, ''), true);
    RETURN NULL;
END $$;

REVOKE ALL ON FUNCTION ivsvod_videos_deleted() FROM PUBLIC;

CREATE OR REPLACE TRIGGER ivsvod_deleted AFTER DELETE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_videos_deleted();
