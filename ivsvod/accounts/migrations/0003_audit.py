"""Accounts, API tokens and groups, with what each may do, in the audit log.

Locks: each table for an instant.
"""

from channels_app.audit.triggers import SECRET, AuditedLink, AuditedTable
from django.db import migrations

TABLES = [
    AuditedTable(
        table="accounts_user",
        model="accounts.user",
        name="username",
        fields={
            "username": "username",
            "password": f"{SECRET}password",
            "email": "email",
            "first_name": "first_name",
            "last_name": "last_name",
            "is_active": "is_active",
            "is_staff": "is_staff",
            "is_superuser": "is_superuser",
            "time_zone": "time_zone",
        },
    ),
    AuditedTable(
        table="accounts_apitoken",
        model="accounts.apitoken",
        name="name",
        key="id",
        primary_key="id",
        fields={"name": "name", "user_id": "user", "scopes": "scopes", "expiry": "expiry"},
    ),
    AuditedTable(
        table="auth_group", model="auth.group", name="name", key="id", primary_key="id", fields={"name": "name"}
    ),
    AuditedLink(
        table="accounts_user_groups",
        model="accounts.user",
        field="groups",
        owner=("accounts_user", "uuid", "username", "user_id"),
        other=("auth_group", "name", "group_id"),
    ),
    AuditedLink(
        table="accounts_user_user_permissions",
        model="accounts.user",
        field="user_permissions",
        owner=("accounts_user", "uuid", "username", "user_id"),
        other=("auth_permission", "codename", "permission_id"),
    ),
    AuditedLink(
        table="auth_group_permissions",
        model="auth.group",
        field="permissions",
        owner=("auth_group", "id", "name", "group_id"),
        other=("auth_permission", "codename", "permission_id"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_groups"),
        ("channels_app", "0011_audit"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunSQL(table.create, table.drop) for table in TABLES]
