"""Authenticator apps, and the time zone of each account; what becomes of the former is in the audit log.

Locks: the table of accounts for an instant, for the column has a constant default.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
from channels_app.audit.triggers import SECRET, AuditedTable
from channels_app.encryption import EncryptedTextField
from django.conf import settings
from django.db import migrations, models

import ivsvod.accounts.time_zones

TABLE = AuditedTable(
    table="accounts_authenticator",
    model="accounts.user",
    key="user_id",
    primary_key="id",
    is_part=True,
    fields={"confirmed": "two_step_sign_in", "recovery_digests": f"{SECRET}recovery_codes"},
)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="time_zone",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=63,
                validators=[ivsvod.accounts.time_zones.validate_time_zone],
                verbose_name="time zone",
            ),
        ),
        migrations.CreateModel(
            name="Authenticator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(help_text="The human-readable name of this device.", max_length=64),
                ),
                ("confirmed", models.BooleanField(default=True, help_text="Is this device ready for use?")),
                (
                    "throttling_failure_timestamp",
                    models.DateTimeField(
                        blank=True,
                        default=None,
                        help_text="A timestamp of the last failed verification attempt. Null if last attempt succeeded.",
                        null=True,
                    ),
                ),
                (
                    "throttling_failure_count",
                    models.PositiveIntegerField(default=0, help_text="Number of successive failed attempts."),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        auto_now_add=True,
                        blank=True,
                        help_text="The date and time when this device was initially created in the system.",
                        null=True,
                    ),
                ),
                (
                    "last_used_at",
                    models.DateTimeField(
                        blank=True, help_text="The most recent date and time this device was used.", null=True
                    ),
                ),
                ("secret", EncryptedTextField(default="", editable=False)),
                ("last_step", models.BigIntegerField(default=-1, editable=False)),
                (
                    "recovery_digests",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64), default=list, editable=False, size=None
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="authenticator",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"abstract": False, "default_permissions": ()},
        ),
        migrations.RunSQL(TABLE.create, TABLE.drop),
    ]
