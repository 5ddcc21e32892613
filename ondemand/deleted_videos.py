"""What follows when rows of videos are deleted, by this service or by another program: SQL functions and triggers."""

from channels_app.derivation import pinned

TRIGGERS = """
-- A recording whose last row is deleted is remembered as removed. A duplicate whose first row is deleted becomes the
-- first row; of several the one that `backfill` would take, and the others point to it. What staff chose for the first
-- row holds for the recording, so it is copied. No audit entry: no person made this change.
CREATE OR REPLACE FUNCTION ivsvod_videos_deleted() RETURNS trigger LANGUAGE plpgsql AS $$
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
            ORDER BY (_status = 'available' OR active IS FALSE) DESC,
                (_duplicate_of IS NULL OR _duplicate_of = gone.uuid) DESC, created_at, uuid LIMIT 1
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

-- A row for the place of a removed recording, such as the predecessor may insert, brings the recording back.
CREATE OR REPLACE FUNCTION ivsvod_videos_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM ondemand_removedrecording AS removed USING new_rows AS made
    WHERE removed.bucket = made._bucket AND removed.prefix = made._prefix;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER ivsvod_deleted AFTER DELETE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_videos_deleted();
CREATE OR REPLACE TRIGGER ivsvod_inserted AFTER INSERT ON on_demand_videos
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ivsvod_videos_inserted();
"""
TRIGGERS += pinned("ivsvod_videos_deleted", "ivsvod_videos_inserted")
DROP_TRIGGERS = """
DROP TRIGGER ivsvod_inserted ON on_demand_videos;
DROP TRIGGER ivsvod_deleted ON on_demand_videos;
DROP FUNCTION ivsvod_videos_inserted();
DROP FUNCTION ivsvod_videos_deleted();
"""
