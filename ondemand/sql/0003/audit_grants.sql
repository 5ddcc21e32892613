-- Write new and revoked playback grants to the audit log; the retention removes grants without an entry. The arguments are
-- explained in `channels_app/sql/0003/audit.sql`.
SELECT ivsvod_audit_table('ondemand_playbackgrant', 'id', 'ondemand', 'playbackgrant', 'id', 'viewer',
    '{"video_id": "video", "channel_id": "channel", "viewer": "viewer", "expires_at": "expires_at",
      "revoked_at": "revoked_at"}', is_deletion => false);
