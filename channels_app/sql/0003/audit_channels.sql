-- Write changes of channels by any writer to the audit log. The arguments are explained in `audit.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON ivs_channels
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('channels_app', 'channel', 'uuid', '_name',
        '{"owner": "owner", "active": "active", "arn": "arn", "rtmp_address": "rtmp_address", '
        '"stream_key": "!stream_key", "_name": "name", "_type": "type", "_latency_mode": "latency_mode", '
        '"_private": "private", "_record": "record", "_status": "status", '
        '"_new_video_state": "new_video_state"}',
        'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON ivs_channels
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('channels_app', 'channel', 'uuid', '_name',
        '{"owner": "owner", "active": "active", "arn": "arn", "rtmp_address": "rtmp_address", '
        '"stream_key": "!stream_key", "_name": "name", "_type": "type", "_latency_mode": "latency_mode", '
        '"_private": "private", "_record": "record", "_status": "status", '
        '"_new_video_state": "new_video_state"}',
        'False', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON ivs_channels
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('channels_app', 'channel', 'uuid', '_name',
        '{"owner": "owner", "active": "active", "arn": "arn", "rtmp_address": "rtmp_address", '
        '"stream_key": "!stream_key", "_name": "name", "_type": "type", "_latency_mode": "latency_mode", '
        '"_private": "private", "_record": "record", "_status": "status", '
        '"_new_video_state": "new_video_state"}',
        'False', 'uuid');
