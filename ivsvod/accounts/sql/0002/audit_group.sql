-- Write changes of groups and their permissions to the audit log. The arguments are explained in
-- `channels_app/sql/current/audit.sql` and `audit_link.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON auth_group
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('auth', 'group', 'id', 'name',
        '{"name": "name"}',
        'False', 'id');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON auth_group
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('auth', 'group', 'id', 'name',
        '{"name": "name"}',
        'False', 'id');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON auth_group
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('auth', 'group', 'id', 'name',
        '{"name": "name"}',
        'False', 'id');

CREATE OR REPLACE TRIGGER ivsvod_audit AFTER INSERT OR DELETE ON auth_group_permissions FOR EACH ROW
    EXECUTE FUNCTION ivsvod_audit_link('auth', 'group',
        'auth_group', 'id', 'name', 'group_id', 'permissions',
        'auth_permission', 'codename', 'permission_id');
