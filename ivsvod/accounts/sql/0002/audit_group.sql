-- Write changes of groups and their permissions to the audit log. The arguments are explained in
-- `channels_app/sql/0003/audit.sql` and `audit_link.sql`.
SELECT ivsvod_audit_table('auth_group', 'id', 'auth', 'group', 'id', 'name',
    '{"name": "name"}');

CREATE OR REPLACE TRIGGER ivsvod_audit AFTER INSERT OR DELETE ON auth_group_permissions FOR EACH ROW
    EXECUTE FUNCTION ivsvod_audit_link('auth', 'group',
        'auth_group', 'id', 'name', 'group_id', 'permissions',
        'auth_permission', 'codename', 'permission_id');
