-- Write changes of videos by any program to the audit log. The arguments are explained in
-- `channels_app/sql/current/audit.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON on_demand_videos
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
        '{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", '
        '"_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_playback": "playback", '
        '"_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_chapters": "chapters", '
        '"_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", '
        '"_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms", '
        '"_edit": "edit", "_part_of": "part_of", "_clip_of": "clip_of"}',
        'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
        '{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", '
        '"_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_playback": "playback", '
        '"_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_chapters": "chapters", '
        '"_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", '
        '"_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms", '
        '"_edit": "edit", "_part_of": "part_of", "_clip_of": "clip_of"}',
        'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON on_demand_videos
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'uuid', '',
        '{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa", '
        '"_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility", "_playback": "playback", '
        '"_publish_from": "publish_from", "_publish_until": "publish_until", "_metadata": "metadata", "_chapters": "chapters", '
        '"_held": "held", "_held_by_check": "held_by_check", "_awaits_review": "awaits_review", '
        '"_started_at": "started_at", "_ended_at": "ended_at", "_duration_ms": "duration_ms", '
        '"_edit": "edit", "_part_of": "part_of", "_clip_of": "clip_of"}',
        'False', 'uuid');
