"""Write changes of accounts, API tokens and groups to the audit log. Locks: each table for an instant (triggers)."""

from django.db import migrations

from common.sql.ddl import RunSQLInTransaction, sql_files

TRIGGERS = sql_files("ivsvod/accounts/sql/0002", "audit_user", "audit_apitoken", "audit_group")
DROP_TRIGGERS = """
DROP TRIGGER IF EXISTS ivsvod_audit ON accounts_user_groups;
DROP TRIGGER IF EXISTS ivsvod_audit ON accounts_user_user_permissions;
DROP TRIGGER IF EXISTS ivsvod_audit ON auth_group_permissions;
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON accounts_user;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON accounts_user;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON accounts_user;
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON accounts_authenticator;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON accounts_authenticator;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON accounts_authenticator;
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON accounts_apitoken;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON accounts_apitoken;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON accounts_apitoken;
DROP TRIGGER IF EXISTS ivsvod_audit_insert ON auth_group;
DROP TRIGGER IF EXISTS ivsvod_audit_update ON auth_group;
DROP TRIGGER IF EXISTS ivsvod_audit_delete ON auth_group;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("channels_app", "0003_triggers"),
    ]
    operations = [RunSQLInTransaction(TRIGGERS, DROP_TRIGGERS)]
