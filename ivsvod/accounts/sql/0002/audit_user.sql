-- Write changes of accounts, with their second factor, groups and permissions, to the audit log. The arguments are
-- explained in `channels_app/sql/0003/audit.sql` and `audit_link.sql`.
SELECT ivsvod_audit_table('accounts_user', 'uuid', 'accounts', 'user', 'uuid', 'username',
    '{"username": "username", "password": "!password", "email": "email", "first_name": "first_name",
      "last_name": "last_name", "is_active": "is_active", "is_staff": "is_staff", "is_superuser": "is_superuser",
      "time_zone": "time_zone"}');

SELECT ivsvod_audit_table('accounts_authenticator', 'id', 'accounts', 'user', 'user_id', '',
    '{"confirmed": "two_step_sign_in", "recovery_digests": "!recovery_codes"}', is_part => true);

CREATE OR REPLACE TRIGGER ivsvod_audit AFTER INSERT OR DELETE ON accounts_user_groups FOR EACH ROW
    EXECUTE FUNCTION ivsvod_audit_link('accounts', 'user',
        'accounts_user', 'uuid', 'username', 'user_id', 'groups',
        'auth_group', 'name', 'group_id');

CREATE OR REPLACE TRIGGER ivsvod_audit AFTER INSERT OR DELETE ON accounts_user_user_permissions FOR EACH ROW
    EXECUTE FUNCTION ivsvod_audit_link('accounts', 'user',
        'accounts_user', 'uuid', 'username', 'user_id', 'user_permissions',
        'auth_permission', 'codename', 'permission_id');
