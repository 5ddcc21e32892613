-- Write changes of API tokens to the audit log. The arguments are explained in `channels_app/sql/current/audit.sql`.
CREATE OR REPLACE TRIGGER ivsvod_audit_insert AFTER INSERT ON accounts_apitoken
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('accounts', 'apitoken', 'id', 'name',
        '{"name": "name", "user_id": "user", "scopes": "scopes", "expiry": "expiry"}',
        'False', 'id');
CREATE OR REPLACE TRIGGER ivsvod_audit_update AFTER UPDATE ON accounts_apitoken
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('accounts', 'apitoken', 'id', 'name',
        '{"name": "name", "user_id": "user", "scopes": "scopes", "expiry": "expiry"}',
        'False', 'id');
CREATE OR REPLACE TRIGGER ivsvod_audit_delete AFTER DELETE ON accounts_apitoken
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT
    EXECUTE FUNCTION ivsvod_audit('accounts', 'apitoken', 'id', 'name',
        '{"name": "name", "user_id": "user", "scopes": "scopes", "expiry": "expiry"}',
        'False', 'id');
