-- Write new and revoked playback grants to the audit log; the retention removes grants without an entry. The arguments are
-- explained in `channels_app/sql/current/audit.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON ondemand_playbackgrant
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'playbackgrant', 'id', 'viewer',
        '{"video_id": "video", "channel_id": "channel", "viewer": "viewer", "expires_at": "expires_at", '
        '"revoked_at": "revoked_at"}',
        'False', 'id');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON ondemand_playbackgrant
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'playbackgrant', 'id', 'viewer',
        '{"video_id": "video", "channel_id": "channel", "viewer": "viewer", "expires_at": "expires_at", '
        '"revoked_at": "revoked_at"}',
        'False', 'id');
