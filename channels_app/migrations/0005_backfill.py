"""Derive what rows from before the triggers lack, in batches that are committed one by one.

Locks: the rows of a batch. It can be killed, and goes on where it was when it is run again.
"""

from typing import Any

from django.db import migrations

from common.sql.backfill import NIL, touch_in_batches
from common.sql.ddl import sql_files


def backfill_rows(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        touch_in_batches(cursor, sql_files("channels_app/sql/0005", "touch_channels"), NIL)
        touch_in_batches(cursor, sql_files("channels_app/sql/0005", "record_state_changes"), 0)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("channels_app", "0004_indexes")]
    operations = [migrations.RunPython(backfill_rows, migrations.RunPython.noop)]
