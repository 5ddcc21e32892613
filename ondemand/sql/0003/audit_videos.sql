-- Write changes of videos by any program to the audit log. The arguments are explained in
-- `channels_app/sql/0003/audit.sql`.
SELECT ivsvod_audit_table('on_demand_videos', 'uuid', 'ondemand', 'video', 'uuid', '',
    '{"ivs_channel_uuid": "channel", "active": "active", "_status": "status", "_qa": "qa",
      "_qa_reasons": "qa_reasons", "_duplicate_of": "duplicate_of", "_visibility": "visibility",
      "_playback": "playback", "_publish_from": "publish_from", "_publish_until": "publish_until",
      "_metadata": "metadata", "_chapters": "chapters", "_held": "held", "_held_by_check": "held_by_check",
      "_awaits_review": "awaits_review", "_started_at": "started_at", "_ended_at": "ended_at",
      "_duration_ms": "duration_ms", "_edit": "edit", "_part_of": "part_of", "_clip_of": "clip_of"}');
