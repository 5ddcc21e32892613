-- Write changes of content to the audit log as changes of the video. The arguments are explained in
-- `channels_app/sql/0003/audit.sql`.
SELECT ivsvod_audit_table('on_demand_video_content', 'uuid', 'ondemand', 'video', 'on_demand_video_uuid', 'title',
    '{"title": "title", "description": "description", "tags": "tags", "thumbnail": "thumbnail"}', is_part => true);
