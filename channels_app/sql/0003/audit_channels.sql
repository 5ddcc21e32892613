-- Write changes of channels by any writer to the audit log. The arguments are explained in `audit.sql`.
SELECT ivsvod_audit_table('ivs_channels', 'uuid', 'channels_app', 'channel', 'uuid', '_name',
    '{"owner": "owner", "active": "active", "arn": "arn", "rtmp_address": "rtmp_address",
      "stream_key": "!stream_key", "_name": "name", "_type": "type", "_latency_mode": "latency_mode",
      "_private": "private", "_record": "record", "_status": "status", "_new_video_state": "new_video_state"}');
