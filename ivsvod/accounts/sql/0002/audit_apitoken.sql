-- Write changes of API tokens to the audit log. The arguments are explained in `channels_app/sql/0003/audit.sql`.
SELECT ivsvod_audit_table('accounts_apitoken', 'id', 'accounts', 'apitoken', 'id', 'name',
    '{"name": "name", "user_id": "user", "scopes": "scopes", "expiry": "expiry"}');
