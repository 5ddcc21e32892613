"""Derive what rows from before the triggers lack, in batches that are committed one by one.

Locks: the rows of a batch. It can be killed, and goes on where it was when it is run again.
"""

from typing import Any

from django.db import migrations

from channels_app.sql.backfill import backfill


def backfill_rows(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        backfill(cursor)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0004_indexes")]
    operations = [migrations.RunPython(backfill_rows, migrations.RunPython.noop)]
