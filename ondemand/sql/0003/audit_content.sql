-- Write changes of content to the audit log as changes of the video. The arguments are explained in
-- `channels_app/sql/current/audit.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON on_demand_video_content
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'on_demand_video_uuid', 'title',
        '{"title": "title", "description": "description", "tags": "tags", "thumbnail": "thumbnail"}',
        'True', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON on_demand_video_content
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'on_demand_video_uuid', 'title',
        '{"title": "title", "description": "description", "tags": "tags", "thumbnail": "thumbnail"}',
        'True', 'uuid');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON on_demand_video_content
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('ondemand', 'video', 'on_demand_video_uuid', 'title',
        '{"title": "title", "description": "description", "tags": "tags", "thumbnail": "thumbnail"}',
        'True', 'uuid');
